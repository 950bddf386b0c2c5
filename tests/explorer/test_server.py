"""The explorer's server: whom it answers, what it refuses, and how it ends."""

import asyncio
import contextlib
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from dataclasses import replace
from urllib.parse import quote, urlsplit

import numpy as np
import psutil
import pyarrow as pa
import pytest
import uvicorn
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import csv, feather, parquet

from plogq.explorer.pages import PAGES
from plogq.explorer.server import app
from plogq.explorer.server.guard import HEADERS
from plogq.explorer.server.serve import listener
from plogq.score import score
from tests.explorer.running import PLOGQ, explorer, run_async

JSON = {"content-type": "application/json"}
ROUTES = app.application().app.routes


def ask(url, path, method="GET", body=None, headers=None):
    """Send one request; give (status, headers, text). Of a stream only the head is read."""
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=30)
    with contextlib.closing(connection):
        connection.request(method, path, body, headers or {})
        with connection.getresponse() as answer:
            stream = answer.headers.get_content_type() == "text/event-stream"
            text = "" if stream else answer.read().decode()
            return answer.status, answer.headers, text


def sentence(text):
    """Give the sentence of an answer that is an error, and no more than that."""
    found = json.loads(text)
    assert found.keys() == {"error"}
    assert found["error"].strip()
    assert "Traceback" not in found["error"]
    return found["error"]


def post(url, path, body, **headers):
    return ask(url, path, "POST", body, JSON | headers)


# Who may ask


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:{port}", "127.0.0.1", "127.0.0.1:1", "localhost:", ""]
)
def test_only_this_servers_own_names(host, explorer_url):
    host = host.format(port=urlsplit(explorer_url).port)
    for path in ("/", "/softmax", "/static/explorer.js", "/nowhere/at/all"):
        status, _, text = ask(explorer_url, path, headers={"host": host})
        assert status == 403
        assert "127.0.0.1" in sentence(text)


def test_both_names_are_its_own(explorer_url):
    port = urlsplit(explorer_url).port
    for host in (f"127.0.0.1:{port}", f"localhost:{port}"):
        own = {"host": host, "origin": f"http://{host}"}
        assert post(explorer_url, "/api/page/softmax", "{}", **own)[0] == 200


@pytest.mark.parametrize(
    "origin",
    ["https://evil.example", "null", "http://127.0.0.1", "https://127.0.0.1:{port}",
     "http://127.0.0.1:{port}.evil.example", "http://localhost:1", ""],
)  # fmt: skip
def test_other_sites_may_not_ask(origin, explorer_url):
    other = {"origin": origin.format(port=urlsplit(explorer_url).port)}
    assert post(explorer_url, "/api/page/softmax", "{}", **other)[0] == 403
    assert ask(explorer_url, "/", headers=other)[0] == 403


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_other_sites_may_link_here_but_not_embed(site, explorer_url):
    embedded = {"sec-fetch-site": site, "sec-fetch-mode": "no-cors"}
    linked = {"sec-fetch-site": site, "sec-fetch-mode": "navigate"}
    assert ask(explorer_url, "/static/explorer.js", headers=embedded)[0] == 403
    assert ask(explorer_url, "/softmax", headers=linked)[0] == 200


def test_port_80_goes_without_saying():
    from plogq.explorer.server.guard import own_hosts

    assert "127.0.0.1" in own_hosts({"server": ("127.0.0.1", 80)})
    assert "127.0.0.1" not in own_hosts({"server": ("127.0.0.1", 8080)})


def test_it_listens_on_this_machine_alone():
    with explorer() as (url, process):
        listening = [
            c for c in psutil.Process(process.pid).net_connections() if c.status == "LISTEN"
        ]
        assert [c.laddr for c in listening] == [("127.0.0.1", urlsplit(url).port)]


def test_answers_are_sent_at_once():
    """Without TCP_NODELAY the body of each waits 40 ms for the acknowledgement of its head."""

    async def accepted():
        found = asyncio.get_running_loop().create_future()

        def connected(reader, writer):
            option = writer.get_extra_info("socket").getsockopt(
                socket.IPPROTO_TCP, socket.TCP_NODELAY
            )
            writer.close()
            found.set_result(option)

        listening = listener(0)
        async with await asyncio.start_server(connected, sock=listening):
            _, writer = await asyncio.open_connection(*listening.getsockname())
            option = await found
            writer.close()
            return option

    assert run_async(accepted())


# What it answers


def test_every_answer_has_the_headers(explorer_url):
    answers = [
        ask(explorer_url, "/"),
        ask(explorer_url, "/softmax"),
        ask(explorer_url, "/static/explorer.js"),
        ask(explorer_url, "/static/explorer.css"),
        ask(explorer_url, "/no_such_page"),
        ask(explorer_url, "/static/no_such_file"),
        ask(explorer_url, "/nowhere/at/all"),
        ask(explorer_url, "/api/page/softmax"),
        ask(explorer_url, "/", headers={"host": "evil.example"}),
        post(explorer_url, "/api/page/softmax", "{}"),
        post(explorer_url, "/api/page/softmax", "no"),
        post(explorer_url, "/api/page/no_such_page", "{}"),
    ]
    assert [status for status, _, _ in answers] == [
        200, 200, 200, 200, 404, 404, 404, 405, 403, 200, 400, 404,
    ]  # fmt: skip
    for _, headers, _ in answers:
        assert {name: headers.get_all(name) for name in HEADERS} == {
            name: [value] for name, value in HEADERS.items()
        }
        assert headers["server"] is None


def test_the_policy_lets_nothing_in():
    policy = dict(p.strip().split(" ", 1) for p in HEADERS["Content-Security-Policy"].split(";"))
    assert policy["default-src"] == "'none'"
    for name, sources in policy.items():
        assert not {"*", "'unsafe-inline'", "'unsafe-eval'", "http:", "https:"} & set(
            sources.split()
        )
        assert set(sources.split()) <= {"'none'", "'self'", "data:", "blob:"}, name


def test_what_is_not_there_is_said_in_a_sentence(explorer_url):
    for method, path, status in [
        ("GET", "/nowhere/at/all", 404),
        ("GET", "/static/no_such_file", 404),
        ("GET", "/static/..%2f..%2fapp.py", 404),
        ("GET", "/static/../app.py", 404),
        ("POST", "/", 405),
        ("DELETE", "/softmax", 405),
        ("GET", "/api/page/softmax", 405),
    ]:
        got, headers, text = ask(explorer_url, path, method)
        assert (got, headers.get_content_type()) == (status, "application/json"), path
        sentence(text)
    assert ask(explorer_url, "/api/page/softmax")[1]["allow"] == "POST"
    status, _, text = post(explorer_url, "/api/page/%3Cb%3E", "{}")
    assert (status, sentence(text)) == (404, "There is no page <b>.")


def test_an_unknown_page_is_the_shell_with_404(explorer_url):
    status, headers, text = ask(explorer_url, "/%3Cscript%3Ealert(1)")
    assert (status, headers.get_content_type()) == (404, "text/html")
    assert "alert" not in text


def test_answers_are_those_of_the_page(explorer_url):
    for name, page in PAGES.items():
        status, headers, text = post(explorer_url, f"/api/page/{name}", "{}")
        assert (status, headers.get_content_type()) == (200, "application/json")
        assert json.loads(text) == page.answer({})


# What it refuses


@pytest.mark.parametrize(
    "kind", [None, "", "text/plain", "application/x-www-form-urlencoded", "application/jsonp",
             "multipart/form-data; boundary=x", "text/plain; application/json"],
)  # fmt: skip
def test_only_what_is_called_json(kind, explorer_url):
    headers = {} if kind is None else {"content-type": kind}
    status, _, text = ask(explorer_url, "/api/page/softmax", "POST", "{}", headers)
    assert status == 400
    assert "content-type application/json" in sentence(text)


@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_has_a_size(chunked, explorer_url):
    large = json.dumps({"logits": [0.0] * 40_000}).encode()
    # In chunks no length is said; what is said may be a lie as well.
    body = iter([large[i : i + 1000] for i in range(0, len(large), 1000)]) if chunked else large
    with contextlib.suppress(ConnectionError):  # it may stop reading before all is sent
        status, _, text = post(explorer_url, "/api/page/softmax", body)
        assert status == 400
        assert "at most 65536 bytes" in sentence(text)
    assert post(explorer_url, "/api/page/softmax", "{}" + " " * 60_000)[0] == 200


def test_a_client_that_leaves_in_the_middle(explorer_url):
    netloc = urlsplit(explorer_url)
    with socket.create_connection((netloc.hostname, netloc.port)) as client:
        client.sendall(
            b"POST /api/page/softmax HTTP/1.1\r\nHost: " + netloc.netloc.encode()
            + b"\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{"
        )  # fmt: skip
    assert post(explorer_url, "/api/page/softmax", "{}")[0] == 200


@pytest.mark.parametrize(
    "body",
    [
        "", "no", "{", "[]", "null", "1", '"\\ud800"', b"\xff\xfe", b"\x00", "[" * 60_000,
        '{"logits":' * 5000, "9" * 10_000, '{"temperature": NaN}', '{"temperature": Infinity}',
        '{"temperature": -1e999}', '{"temperature": 1' + "0" * 4000 + "}", '{"temperature": true}',
        '{"temperature": "1"}', '{"temperature": null}', '{"temperature": [1]}', '{"target": 0.5}',
        '{"target": 1e300}', '{"target": -1}', '{"logits": []}', '{"logits": [NaN, 0]}',
        '{"logits": {"0": 1}}', '{"logits": [[0], [1]]}', '{"\\ud800": 1}', '{"__class__": 1}',
        '{"logits": "\\ud800\\udfff"}', '{"no_such_control": 1}',
    ],
)  # fmt: skip
def test_wrong_states_get_a_sentence(body, explorer_url):
    status, _, text = post(explorer_url, "/api/page/softmax", body)
    assert status == 400
    assert len(sentence(text)) < 200


@pytest.mark.parametrize("depth", [100, 300, 500, 900, 950, 975, 990, 1000, 1100, 3000])
def test_deep_states_get_a_sentence(depth, explorer_url):
    for deep in ("[" * depth + "]" * depth, '{"a":' * depth + "1" + "}" * depth):
        for body in (deep, f'{{"logits": {deep}}}', f'{{"logits": [{deep}, {deep}]}}'):
            status, _, text = post(explorer_url, "/api/page/softmax", body)
            assert status == 400
            sentence(text)


hostile = st.recursive(
    st.none() | st.booleans() | st.integers() | st.integers(10**300, 10**400) | st.floats()
    | st.text() | st.text(st.characters(categories=["Cs"])) | st.sampled_from(["", "\0"]),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(), inner, max_size=5),
    max_leaves=20,
)  # fmt: skip
kinds = st.sampled_from(
    ["application/json", "application/octet-stream", "text/plain", "a/b; c=\xe9"]
)


@st.composite
def requests(draw):
    """Give (method, path, body, type): any route, with what nobody should send it."""
    route = draw(st.sampled_from(ROUTES))
    path = route.path.replace("{name}", draw(st.sampled_from([*PAGES, "x"])))
    page = PAGES[draw(st.sampled_from(sorted(PAGES)))]
    state = draw(
        hostile
        | st.dictionaries(st.sampled_from([*page.controls, "from", "name"]), hostile, max_size=4)
    )
    query = quote(draw(st.text(st.characters(exclude_categories=["Cs"]), max_size=30)), safe="&=?/")
    if isinstance(state, dict) and draw(st.booleans()):
        said = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
        query = "&".join(f"{quote(str(n), errors='replace')}={quote(draw(said))}" for n in state)
    body = draw(st.just(json.dumps(state).encode()) | st.binary(max_size=200))
    method = draw(st.sampled_from([*route.methods, *route.methods, "PUT", "OPTIONS"]))
    return method, f"{path}?{query}", body, draw(kinds)


@settings(max_examples=300)
@given(request=requests())
def test_no_request_breaks_it(request, explorer_url):
    method, path, body, kind = request
    status, headers, text = ask(explorer_url, path, method, body, {"content-type": kind})
    assert status < 500, text
    if status >= 400 and method != "HEAD" and headers.get_content_type() != "text/html":
        sentence(text)


@pytest.fixture(scope="module")
def brought(tmp_path_factory):
    """Give {suffix: the bytes of a file that a reader might bring}."""
    rng = np.random.default_rng(0)
    columns = {f"prob_{j}": q for j, q in enumerate(rng.dirichlet([1, 1], 20).T)}
    columns["label"] = rng.integers(0, 2, 20)
    table, folder = pa.table(columns), tmp_path_factory.mktemp("brought")
    parquet.write_table(table, folder / "t.parquet")
    csv.write_csv(table, folder / "t.csv")
    feather.write_feather(table, folder / "t.arrow")
    np.savez(folder / "t.npz", probs=np.stack([columns["prob_0"], columns["prob_1"]], 1),
             labels=columns["label"])  # fmt: skip
    (folder / "t.json").write_text(score(table, bootstrap=0).to_json())
    return {path.suffix: path.read_bytes() for path in folder.iterdir()}


@st.composite
def damages(draw, files):
    """Give (a file's name, a body that is nearly such a file, or not at all)."""
    suffix = draw(st.sampled_from([*sorted(files), ".feather"]))
    whole = files[suffix if suffix in files else ".arrow"]
    if suffix == ".json" and draw(st.booleans()):
        document = json.loads(whole)
        inner = document
        while True:
            key = draw(
                st.sampled_from(sorted(inner) if isinstance(inner, dict) else range(len(inner)))
            )
            if not isinstance(inner[key], dict | list) or not inner[key] or draw(st.booleans()):
                break
            inner = inner[key]
        inner[key] = draw(hostile)
        return "r.json", json.dumps(document).encode()
    begin, end = sorted(draw(st.tuples(*[st.integers(0, len(whole))] * 2)))
    return f"t{suffix}", whole[:begin] + draw(st.binary(max_size=10)) + whole[end:]


@settings(max_examples=150)
@given(data=st.data())
def test_no_file_breaks_it(data, brought, explorer_url):
    name, body = data.draw(damages(brought))
    headers = {"content-type": "application/octet-stream"}
    status, _, text = ask(explorer_url, f"/api/predictions?name={name}", "POST", body, headers)
    assert status in (200, 400), text
    if status == 400:
        assert "plogq-" not in sentence(text)  # the folder in which it was kept


def test_a_fault_of_ours_is_owned_up_to(monkeypatch, capfd):
    def broken(state):
        raise RuntimeError("a fault")

    monkeypatch.setitem(PAGES, "broken", replace(PAGES["softmax"], compute=broken))
    with in_this_process() as url:
        status, headers, text = post(url, "/api/page/broken", "{}")
        assert status == 500
        assert "failed" in sentence(text)
        assert all(headers[name] == value for name, value in HEADERS.items())
        assert post(url, "/api/page/softmax", "{}")[0] == 200
    assert "RuntimeError: a fault" in capfd.readouterr().err


@contextlib.contextmanager
def in_this_process():
    """Serve on a thread, as `serve` does in a process of its own; give the address."""
    with listener(0) as listening:
        url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        server = uvicorn.Server(
            uvicorn.Config(app.application(), log_config=None, log_level="critical")
        )
        thread = threading.Thread(target=server.run, args=([listening],))
        thread.start()
        try:
            yield url
        finally:
            server.should_exit = True
            thread.join()


# How it begins and ends


def command(*arguments, **options):
    return subprocess.run(
        [*PLOGQ, "explore", "--no-browser", *arguments],
        capture_output=True, text=True, timeout=60, check=False, **options,
    )  # fmt: skip


def test_a_taken_port(explorer_url):
    port = str(urlsplit(explorer_url).port)
    done = command("--port", port)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"plogq: 127.0.0.1:{port}: Address already in use\n"


@pytest.mark.parametrize("port", ["99999", "65536", "-1", "x", "9" * 5000])
def test_no_such_port(port):
    done = command(f"--port={port}")
    assert (done.returncode, done.stdout) == (2, "")
    assert "argument --port: " in done.stderr
    assert "Traceback" not in done.stderr


def test_the_port_that_was_asked_for():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    for _ in range(2):  # and at once again
        with explorer("--port", str(port)) as (url, _):
            assert url == f"http://127.0.0.1:{port}"
            assert ask(url, "/")[0] == 200


def test_ctrl_c_with_connections_open():
    with explorer() as (url, _):
        netloc = urlsplit(url)
        idle, asking = (socket.create_connection((netloc.hostname, netloc.port)) for _ in range(2))
        asking.sendall(b"GET / HTTP/1.1\r\nHost: ")
        assert ask(url, "/")[0] == 200
    for client in (idle, asking):
        client.close()


@pytest.mark.parametrize("clients", [1, 3])
def test_ctrl_c_while_streams_are_open(clients):
    with explorer() as (url, process), contextlib.ExitStack() as opened:
        for _ in range(clients):
            connection = opened.enter_context(
                contextlib.closing(http.client.HTTPConnection(urlsplit(url).netloc))
            )
            connection.request("GET", "/api/training")
            answer = opened.enter_context(connection.getresponse())
            assert answer.headers.get_content_type() == "text/event-stream"
            assert answer.readline()
        process.send_signal(signal.SIGINT)
        process.wait(timeout=30)


@pytest.mark.parametrize("leaves", [False, True])
def test_ctrl_c_waits_for_no_computation(leaves, tmp_path):
    """A page that would compute for an hour: the process ends, and with it the thread."""
    begun = tmp_path / "begun"
    slow = f"""
import pathlib, time
from dataclasses import replace
from plogq.explorer.pages import PAGES

def compute(state):
    pathlib.Path({str(begun)!r}).touch()
    time.sleep(3600)

PAGES["softmax"] = replace(PAGES["softmax"], compute=compute)
from plogq.cli import main
main()
"""
    with explorer(command=[sys.executable, "-c", slow]) as (url, process):
        connection = http.client.HTTPConnection(urlsplit(url).netloc)
        connection.request("POST", "/api/page/softmax", "{}", JSON)
        while not begun.exists():
            time.sleep(0.01)
        if leaves:
            connection.close()
        process.send_signal(signal.SIGINT)
        process.wait(timeout=30)
    connection.close()


WRITES = """
import os, sys

TEMP = os.environ["TMPDIR"]

def told(event, found):
    if event == "open":
        path, mode, flags = found
        if flags & (os.O_WRONLY | os.O_RDWR) and not str(path).startswith(TEMP):
            print("writes", path, file=sys.stderr)
    elif event in ("os.mkdir", "os.rename", "os.symlink", "os.link", "socket.connect"):
        if not str(found[0]).startswith(TEMP):
            print(event, *found, file=sys.stderr)

sys.addaudithook(told)
from plogq.cli import main
main()
"""


def test_it_writes_nothing_and_calls_nobody(brought, tmp_path):
    environment = os.environ | {"PYTHONDONTWRITEBYTECODE": "1", "TMPDIR": str(tmp_path / "temp")}
    for name in ("temp", "here"):
        (tmp_path / name).mkdir()
    with explorer(
        command=[sys.executable, "-c", WRITES], cwd=tmp_path / "here", env=environment
    ) as (url, _):
        assert ask(url, "/")[0] == 200
        for name in PAGES:
            assert post(url, f"/api/page/{name}", "{}")[0] == 200
        for suffix, body in brought.items():
            file = {"content-type": "application/octet-stream"}
            for path, status in ((f"t{suffix}", 200), (f"../../t{suffix}", 200), ("t.exe", 400)):
                found = ask(url, f"/api/predictions?name={path}", "POST", body, file)
                assert found[0] == status, found[2]
            assert ask(url, f"/api/predictions?name=t{suffix}", "POST", b"no", file)[0] == 400
    assert list((tmp_path / "here").iterdir()) == []
    assert list((tmp_path / "temp").iterdir()) == []
