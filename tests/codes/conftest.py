"""Codes with a model need constriction, which has no wheel for some machines."""

import pytest


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item):
    """Skip a test at the place where it needs constriction and finds none."""
    try:
        return (yield)
    except ModuleNotFoundError as error:
        if error.name != "constriction":
            raise
        pytest.skip("constriction is not installed")
