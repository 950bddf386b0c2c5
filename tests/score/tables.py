"""Tables of which the truth is known."""

import numpy as np


def drawn(rows, classes, seed, distort=lambda z: z):
    """Labels of softmax(z), logits that are z distorted."""
    rng = np.random.default_rng(seed)
    z = 1.5 * rng.standard_normal((rows, classes))
    return {"logits": distort(z), "labels": np.argmax(z + rng.gumbel(size=z.shape), axis=1)}
