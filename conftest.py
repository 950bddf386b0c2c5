"""`--quick`: the first case of each test, without a browser, a cluster or a compiler."""

import os

os.environ.setdefault("KERAS_BACKEND", "torch")  # of the tests; tests/keras runs on the others, too

SLOW_TO_START = {"browser", "explorer_url", "cluster", "visit", "open_page"}


def pytest_addoption(parser):
    """Add the option."""
    parser.addoption("--quick", action="store_true", help="the first case of each test")


def pytest_collection_modifyitems(config, items):
    """Keep the first case of each test."""
    if not config.getoption("--quick"):
        return
    kept, dropped, known = [], [], set()
    for item in items:
        function = item.nodeid.partition("[")[0]
        waits = SLOW_TO_START.intersection(getattr(item, "fixturenames", ()))
        (dropped if function in known or waits else kept).append(item)
        known.add(function)
    config.hook.pytest_deselected(items=dropped)
    items[:] = kept
