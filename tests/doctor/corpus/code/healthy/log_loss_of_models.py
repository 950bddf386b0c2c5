# The labels are the same for each model.
from sklearn.metrics import log_loss


def compare(models, x_test, y_test):
    return {name: log_loss(y_test, model.predict_proba(x_test)) for name, model in models.items()}
