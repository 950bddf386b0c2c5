"""Code, looked at by the checks of code: read, and never imported or run."""

from plogq.doctor.source.check_code import check_code
from plogq.doctor.source.fixes import Fixed, fixed_files

__all__ = ["Fixed", "check_code", "fixed_files"]
