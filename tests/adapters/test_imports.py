"""The logger, and what adapters share, load no framework."""

import subprocess
import sys

FRAMEWORKS = {"torch", "torchmetrics", "transformers", "lightning", "tensorboard", "sklearn"}


def test_no_framework_is_loaded():
    program = "import sys, plogq.adapters.loggers, plogq.adapters.keep, plogq.adapters.figures\n"
    program += "print(*{name.partition('.')[0] for name in sys.modules})"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=120, check=True
    )
    loaded = set(done.stdout.split())
    assert "plogq" in loaded
    assert loaded & FRAMEWORKS == set()
