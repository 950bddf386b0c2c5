"""What a model learned, in bytes: labels coded as it is trained, and compressed once it is.

    python examples/codes.py

Handwritten digits and a logistic regression; needs scikit-learn.
"""

import numpy as np
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression

from plogq.codes import compress, decompress, prequential

digits = load_digits()
inputs, labels = digits.data / 16, digits.target
order = np.random.default_rng(0).permutation(len(labels))
inputs, labels = inputs[order], labels[order]

# Each block is coded under the model that the blocks before have trained.
found = prequential(LogisticRegression(max_iter=300), inputs, labels)
print(f"{len(labels):,} labels, {len(np.unique(labels))} classes")
print(f"{'rows':>6}{'bits per row':>14}")
for block in found.blocks:
    print(f"{block.stop:6,}{block.bits_per_row:14.3f}")
print(f"with no model     {found.uniform_bits / 8:7,.0f} bytes")
print(f"their frequencies {found.labels_bits / 8:7,.0f}")
print(f"the model, sent first, as {found.parameters} numbers {found.two_part_bits / 8:,.0f}")
print(f"learned block by block {found.bits / 8:,.0f}: nothing but labels has to be sent")

# The same on held-out rows, as a file.
model = LogisticRegression(max_iter=300).fit(inputs[:1200], labels[:1200])
q = model.predict_proba(inputs[1200:])
data, length = compress(labels[1200:], q)
assert (decompress(data, q) == labels[1200:]).all()
print(
    f"{length.rows} held-out labels in {len(data)} bytes: {length.exact_bits / 8:.1f} of cross-"
    f"entropy, {length.coder_bits / 8:.1f} of the coder, {length.framing_bytes} of the frame"
)
