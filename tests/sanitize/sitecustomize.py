"""Python started with this folder on its path takes plogq's native code from PLOGQ_NATIVE.

The rest of plogq comes from where it is installed. Processes that this one starts do the same.
"""

import importlib.util
import os
import sys
from pathlib import Path

NAME = "plogq.kernels._native"


class Finder:
    """Finds the one module, before all other finders."""

    @staticmethod
    def find_spec(name, path=None, target=None):
        if name != NAME:
            return None
        [file] = Path(os.environ["PLOGQ_NATIVE"]).glob("_native*.so")
        return importlib.util.spec_from_file_location(name, file)


sys.meta_path.insert(0, Finder)
