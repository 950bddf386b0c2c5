# Stratified folds have all classes.
from sklearn.metrics import log_loss
from sklearn.model_selection import StratifiedKFold

for train, test in StratifiedKFold(5).split(x, y):
    print(log_loss(y[test], model.fit(x[train], y[train]).predict_proba(x[test])))
