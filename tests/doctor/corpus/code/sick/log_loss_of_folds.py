# expect: PQ334
from sklearn.metrics import log_loss
from sklearn.model_selection import KFold


def scores(model, x, y):
    found = []
    for train, test in KFold(5).split(x):
        model.fit(x[train], y[train])
        found.append(log_loss(y[test], model.predict_proba(x[test])))
    return found
