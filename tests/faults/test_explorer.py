"""The explorer's server when it is stopped at work, and when there is no room for an upload."""

import http.client
import json
import os
import resource
import signal
import subprocess
import threading
import time
from contextlib import contextmanager, suppress

import numpy as np
import pytest

from tests.cli.running import PLOGQ


@contextmanager
def server(tmp_path, **options):
    """Run the explorer with a temporary folder of its own; give its process and its port."""
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    with subprocess.Popen(
        [*PLOGQ, "explore", "--no-browser"], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        text=True, env=os.environ | {"TMPDIR": str(scratch)}, **options,
    ) as process:  # fmt: skip
        try:
            address = process.stdout.readline().split()[2]
            yield process, int(address.strip("/").rpartition(":")[2]), scratch
        finally:
            process.kill()


def post(port, body):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    kind = {"content-type": "application/octet-stream"}
    connection.request("POST", "/api/predictions?name=t.csv", body, kind)
    response = connection.getresponse()
    answer = response.status, json.loads(response.read())
    connection.close()
    return answer


def csv(rows):
    numbers = np.arange(rows)
    lines = [f"{i % 2},{0.3 + 0.4 * (i % 3 == 0)}" for i in numbers]
    return ("label,prob\n" + "\n".join(lines) + "\n").encode()


@pytest.mark.slow
@pytest.mark.parametrize("which", [signal.SIGINT, signal.SIGTERM])
def test_a_server_that_is_stopped_at_work(which, tmp_path):
    body = csv(1_000_000)
    with server(tmp_path) as (process, port, scratch):

        def ask():
            with suppress(OSError, http.client.HTTPException):  # the server has left
                post(port, body)

        asking = threading.Thread(target=ask)
        asking.start()
        while not any(path.stat().st_size == len(body) for path in scratch.rglob("table*")):
            time.sleep(0.01)
        process.send_signal(which)
        printed, said = process.communicate(timeout=60)
        asking.join()
        assert (process.returncode, printed, said) == (128 + which, "", "")
        assert list(scratch.iterdir()) == []


@pytest.mark.slow
def test_an_upload_on_a_full_disk(tmp_path):
    def little():
        resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, 10_000))

    with server(tmp_path, preexec_fn=little) as (process, port, scratch):
        assert post(port, csv(10_000)) == (507, {"error": "t.csv: File too large"})
        status, answer = post(port, csv(100))  # it goes on
        assert (status, answer["result"]["rows"]) == (200, 100)
        assert list(scratch.iterdir()) == []
        process.send_signal(signal.SIGTERM)
        assert process.communicate(timeout=60) == ("", "")
        assert process.returncode == 143
