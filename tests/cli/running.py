"""plogq in a process of its own."""

import subprocess
import sys

PLOGQ = [sys.executable, "-c", "from plogq.cli import main; main()"]


def plogq(*arguments, **options):
    """Run a command, and give its status, what it printed and what it said."""
    options = {"capture_output": True, "text": True, "timeout": 60} | options
    return subprocess.run([*PLOGQ, *map(str, arguments)], check=False, **options)
