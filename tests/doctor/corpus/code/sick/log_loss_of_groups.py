# expect: PQ334
import sklearn.metrics as metrics


def by_group(frame):
    out = {}
    for name, part in frame.groupby("site"):
        out[name] = metrics.log_loss(part["y"], part[["p0", "p1", "p2"]])
    return out
