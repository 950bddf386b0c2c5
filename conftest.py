"""Which tests run: `--quick` runs the first case of each, without browser, cluster or compiler."""

import importlib.util
import os

import pytest

os.environ.setdefault("TRITON_INTERPRET", "1")  # Triton decides when it is first imported
os.environ.setdefault("KERAS_BACKEND", "torch")  # of the tests; tests/keras runs on the others, too

# Kernels of GPUs are read by Triton, which not every machine has.
KERNELS = "src/plogq/torch/engines/triton/kernels/*"
collect_ignore_glob = [] if importlib.util.find_spec("triton") else [KERNELS]

SLOW_TO_START = {"browser", "explorer_url", "cluster", "visit", "open_page"}


def pytest_addoption(parser):
    """Add the option."""
    parser.addoption("--quick", action="store_true", help="the first case of each test")


@pytest.hookimpl(tryfirst=True)  # before pytest leaves out what is slow
def pytest_collection_modifyitems(config, items):
    """Mark all but the first case of a matrix as slow; for `--quick` keep no others."""
    kept, dropped, known = [], [], set()
    for item in items:
        function = item.nodeid.partition("[")[0]
        if function in known and item.get_closest_marker("matrix"):
            item.add_marker("slow")
        waits = SLOW_TO_START.intersection(getattr(item, "fixturenames", ()))
        (dropped if function in known or waits else kept).append(item)
        known.add(function)
    if config.getoption("--quick"):
        config.hook.pytest_deselected(items=dropped)
        items[:] = kept
