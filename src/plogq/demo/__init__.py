"""`plogq demo`: train on real digits under two losses, then score the better model.

The digits are 1,797 images of 8×8 pixels from the UCI Machine Learning Repository: E. Alpaydin and
C. Kaynak (1998), Optical Recognition of Handwritten Digits, doi:10.24432/C50P49, CC BY 4.0.
"""

from plogq.extras import needed_by

with needed_by("plogq.demo"):
    import pyarrow as _pyarrow  # noqa: F401

from plogq.demo.run import run_demo

__all__ = ["run_demo"]
