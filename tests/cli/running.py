"""plogq in a process of its own, or in this one."""

import io
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from unittest.mock import patch

PLOGQ = [sys.executable, "-c", "from plogq.cli import main; main()"]


def plogq(*arguments, **options):
    """Run a command, and give its status, what it printed and what it said."""
    options = {"capture_output": True, "text": True, "timeout": 60} | options
    return subprocess.run([*PLOGQ, *map(str, arguments)], check=False, **options)


def plogq_here(*arguments):
    """Run a command in this process, without what a start of Python costs; give the same."""
    from plogq.cli import main

    status, printed, said = 0, io.StringIO(), io.StringIO()
    given = ["plogq", *map(str, arguments)]
    with patch.object(sys, "argv", given), redirect_stdout(printed), redirect_stderr(said):
        try:
            main()
        except SystemExit as ended:
            status = ended.code or 0
    return subprocess.CompletedProcess(given, status, printed.getvalue(), said.getvalue())
