"""Hypothesis without a clock, for speed is not asserted here; what a missing wheel skips."""

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile("plogq", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("plogq")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item):
    """Skip a test where it needs constriction, which has no wheel for some machines."""
    try:
        return (yield)
    except ModuleNotFoundError as error:
        if error.name != "constriction":
            raise
        pytest.skip("constriction is not installed")
