# expect: PQ334
from sklearn.metrics import log_loss


def running(model, batches):
    return [log_loss(y_batch, model.predict_proba(x_batch)) for x_batch, y_batch in batches]
