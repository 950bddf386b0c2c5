"""Libraries that a test uses if they are there: the portable tests run without any framework."""

import importlib
from types import ModuleType
from typing import Any

import pytest


class Absent(ModuleType):
    """Stands for a library that is not installed: the test that reads a name of it is skipped."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):  # pytest and doctest look at the modules that a test file names
            raise AttributeError(name)
        pytest.skip(f"{self.__name__} is not installed", allow_module_level=True)


def optional(name: str) -> Any:
    """Import a library, or give what skips the tests that use it: all of a file at its top."""
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError:
        return Absent(name)
