"""A command that is told to end tidies up, as after Ctrl-C."""

import os
import signal
import subprocess
import sys
import threading
import time

import pytest

from plogq import cli
from plogq.signals import ToldToEnd, ended_in_order, held_back, status_of
from tests.cli.running import PLOGQ


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_that_a_library_turns_into_another_error(number, monkeypatch, capsys):
    def broken(words):
        try:
            os.kill(os.getpid(), number)
            time.sleep(5)
        except KeyboardInterrupt:
            raise SyntaxError("can't load unicodedata module") from None

    monkeypatch.setattr(cli, "_parser", broken)
    with pytest.raises(SystemExit) as end:
        cli.main()
    assert end.value.code == 128 + number
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_it_is_raised_once_and_what_was_before_comes_back(number):
    def work():
        try:
            os.kill(os.getpid(), number)
            time.sleep(5)
        finally:
            os.kill(os.getpid(), number)  # while it tidies up

    before = signal.getsignal(number)
    with pytest.raises(ToldToEnd) as told, ended_in_order():
        work()
    assert status_of(told.value) == 128 + number
    assert signal.getsignal(number) is before
    assert status_of(KeyboardInterrupt()) == 130


def test_what_the_caller_ignores_stays_ignored():
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)  # as nohup has it
    try:
        with ended_in_order():
            os.kill(os.getpid(), signal.SIGHUP)
            assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)


def test_a_thread_changes_no_handler():
    seen = []

    def work():
        with ended_in_order():
            seen.append(signal.getsignal(signal.SIGTERM))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [signal.getsignal(signal.SIGTERM)]


def test_a_signal_that_is_held_back_comes_afterwards():
    reached = []

    def work():
        with held_back():
            os.kill(os.getpid(), signal.SIGINT)
            reached.append(True)
        time.sleep(5)

    with pytest.raises(KeyboardInterrupt):
        work()
    assert reached


def test_processes_that_start_meanwhile_receive_none():
    code = "import signal; print(sorted(signal.pthread_sigmask(signal.SIG_BLOCK, [])))"
    with held_back():
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    assert all(name in done.stdout for name in (b"SIGINT", b"SIGTERM", b"SIGHUP"))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_command_leaves_nothing(number, tmp_path):
    slow = (
        "import time\n"
        "from plogq import files\n"
        "from plogq.cli import main\n"
        "def write(path, data):\n"
        "    with files.whole_file(path) as to:\n"
        "        to.write(data)\n"
        "        print('writing', flush=True)\n"
        "        time.sleep(30)\n"
        "files.write_whole = write\n"
        "main()\n"
    )
    (tmp_path / "book.txt").write_text("so it goes. " * 100)
    command = [sys.executable, "-c", slow, "code", "book.txt", "--out", "book.plq"]
    process = subprocess.Popen(
        command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout.readline() == "writing\n"
    assert len(list(tmp_path.iterdir())) == 2  # the book, and what is being written
    process.send_signal(number)
    printed, said = process.communicate(timeout=60)
    assert (process.returncode, printed, said) == (128 + number, "", "")
    assert [path.name for path in tmp_path.iterdir()] == ["book.txt"]


def test_the_help_names_the_status():
    done = subprocess.run([*PLOGQ, "--help"], capture_output=True, text=True, check=True)
    assert "143 told to end" in done.stdout
