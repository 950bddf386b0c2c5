"""The public functions, found by looking."""

import inspect

from plogq import formulas

FUNCTIONS = {name for name in formulas.__all__ if inspect.isfunction(getattr(formulas, name))}
