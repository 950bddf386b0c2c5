"""Your predictions: a file the reader brings becomes the very report that `plogq score` writes."""

import gzip
import http.client
import json
import subprocess
import tempfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from starlette.requests import Request

from plogq.explorer.pages.predictions_report import ENDINGS, example_table, report_of_file
from plogq.explorer.server import uploads
from plogq.reports.html import report_html
from plogq.score import score
from plogq.tables.formats.registry import FORMATS, WRITERS
from tests.explorer.running import PLOGQ, explorer, run_async


@pytest.fixture
def table(tmp_path):
    rng = np.random.default_rng(7)
    probs = rng.dirichlet([2, 1, 1], 300)
    labels = [f"<b>{name}</b>" for name in np.array(["cat", "dog", "eel"])[rng.integers(0, 3, 300)]]
    columns = {f"prob_<b>{name}</b>": probs[:, j] for j, name in enumerate(("cat", "dog", "eel"))}
    path = tmp_path / "held out.parquet"
    pq.write_table(pa.table(columns | {"truth": labels, "id": [f"r{i}" for i in range(300)]}), path)
    return path


def send(explorer_url, body, query, **headers):
    """Post a file; give the status and the JSON."""
    connection = http.client.HTTPConnection(explorer_url.removeprefix("http://"), timeout=60)
    headers = {"content-type": "application/octet-stream", **headers}
    connection.request("POST", f"/api/predictions?{query}", body, headers)
    response = connection.getresponse()
    answer = response.status, json.loads(response.read())
    connection.close()
    return answer


def written(path, ending):
    """Write a small table in the format that an ending stands for; give the path."""
    probs, labels = np.tile([[0.7, 0.2, 0.1], [0.2, 0.3, 0.5]], (20, 1)), np.arange(40) % 3
    table = pa.table({f"prob_{j}": probs[:, j] for j in range(3)} | {"label": labels})
    if ending == ".json":
        path.write_text(score({"probs": probs, "labels": labels}).to_json())
    elif ending == ".npz":
        with path.open("wb") as file:  # by its name, it would be called .npz once more
            np.savez(file, probs=probs, labels=labels)
    else:
        with path.open("wb") as file, WRITERS[ending](file, table.schema) as writer:
            writer.write_table(table)
    if ending.endswith(".gz"):
        path.write_bytes(gzip.compress(path.read_bytes()))
    return path


@pytest.mark.parametrize("ending", [".json", ".npz", *WRITERS])
def test_whatever_score_takes_is_taken(ending, explorer_url, tmp_path):
    path = written(tmp_path / f"Held Out{ending.upper()}", ending)
    loss = report_of_file(str(path), "mine")["result"]["cross_entropy"]
    status, answer = send(explorer_url, path.read_bytes(), f"name=mine{ending.upper()}")
    assert (status, answer["result"]["cross_entropy"]) == (200, loss)
    if ending != ".json":
        assert loss == score(path).cross_entropy


def test_a_folder_is_taken_and_a_uri(tmp_path):
    for name in ("a.pq", "b.pq"):
        written(tmp_path / name, ".pq")
    for source in (str(tmp_path), tmp_path.as_uri()):
        found = report_of_file(source, "both")["result"]
        assert (found["rows"], found["source"]["paths"]) == (80, ["both"])


def test_the_form_offers_what_is_taken(visit):
    offered = visit("/predictions").locator("input[type=file]").get_attribute("accept")
    assert offered.split(",") == list(ENDINGS) == list(FORMATS)


def test_a_table_gives_the_report_of_plogq_score(visit, table):
    result = score(table, label="truth", id="id", unit="nat")
    page = visit("/predictions")
    page.set_input_files("input[type=file]", table)
    page.get_by_label("column of the label").fill("truth")
    page.get_by_label("column that names a row").fill("id")
    page.get_by_label("unit").select_option("nat")
    page.get_by_role("button", name="Score it").press("Enter")
    page.get_by_text(f"{result.cross_entropy:.4f} nats per row").first.wait_for()
    assert page.get_by_text("held out.parquet").count() == 1
    assert page.get_by_text("Until then this is an example").count() == 0
    # Drawn by the same code: the same pictures and tables as in the file of plogq score --html.
    titles = page.locator(".figure h2").all_inner_texts()
    (table.parent / "report.html").write_text(report_html(result))
    report = page.context.new_page()
    report.goto((table.parent / "report.html").as_uri())
    report.wait_for_selector(".figure h2")
    assert report.locator(".figure h2").all_inner_texts() == titles
    assert report.locator("svg").count() == page.locator("svg").count()
    report.close()


def test_a_result_is_shown_as_it_is(visit, table):
    result = score(table, label="truth", id="id")
    path = table.with_name("result.json")
    path.write_text(result.to_json())
    page = visit("/predictions")
    page.set_input_files("input[type=file]", path)
    page.get_by_role("button", name="Score it").click()
    page.get_by_text(f"{result.cross_entropy:.4f} bits per row").first.wait_for()


def test_what_is_wrong_with_a_file_is_said_and_the_report_stays(visit, table):
    page = visit("/predictions")
    page.get_by_text("Until then this is an example").wait_for()
    page.set_input_files("input[type=file]", table)
    page.get_by_role("button", name="Score it").click()
    alert = page.get_by_role("alert")
    alert.wait_for()
    assert alert.inner_text().startswith("held out.parquet: no column 'label'")
    assert page.locator(".figure").count() > 5
    # The console says of every answer of 400 that it failed to load: that one is expected.
    assert [text for text in visit.complaints if "400" not in text] == []
    visit.complaints.clear()


@pytest.mark.parametrize(
    ("name", "body", "expected"),
    [
        ("a.pkl", b"\x80\x04.", "a.pkl: expected a name that ends with one of .parquet, "),
        ("", b"", "the file: expected a name that ends with"),
        ("../../etc/x.json", b"{", "x.json: not a readable JSON file"),
        ("x.json", b"[" * 100_000, "x.json: not a readable JSON file"),
        ("x.json", b'{"schema": 1}', "x.json: source: expected, and not there"),
        ("x.json", b"[1]", "x.json must be a list of records"),
        ("x.parquet", b"PAR1 and no more", "x.parquet: not a readable Parquet file"),
        ("x.csv", b"", "x.csv: not a readable CSV file"),
        ("x.csv", b"label,prob_a,prob_b\n0,0.5,0.6\n", "x.csv"),
        ("x.npz", b"PK\x03\x04", "x.npz: not a readable NPZ file"),
        ("x.arrow", b"ARROW1", "x.arrow: not a readable"),
        ("x.feather", b"", "x.feather"),
    ],
)
def test_a_bad_file_is_refused_in_a_sentence(explorer_url, name, body, expected):
    status, answer = send(explorer_url, body, f"name={name}")
    assert status == 400
    assert answer["error"].startswith(expected)
    assert tempfile.gettempdir() not in answer["error"]  # the reader knows the file by its name


def test_only_a_page_of_the_explorer_may_send_a_file(explorer_url):
    assert send(explorer_url, b"", "name=x.csv", **{"content-type": "text/plain"})[0] == 400
    assert send(explorer_url, b"", "name=x.csv", origin="http://example.org")[0] == 403


@pytest.mark.parametrize(("name", "largest"), [("x.json", "LARGEST_JSON"), ("x.csv", "LARGEST")])
def test_a_file_may_be_so_large_and_no_larger(monkeypatch, name, largest):
    monkeypatch.setattr(uploads, largest, 2 << 20)

    async def without_end():
        return {"type": "http.request", "body": bytes(1 << 20), "more_body": True}

    head = [(b"content-type", b"application/octet-stream")]
    scope = {"type": "http", "headers": head, "query_string": f"name={name}".encode()}
    answer = run_async(uploads.upload(Request(scope, without_end)))
    assert answer.status_code == 400
    assert f"{name}: expected at most 2 MiB here" in answer.body.decode()


def test_nothing_of_a_file_is_kept(explorer_url, table):
    def kept():
        return sorted(Path(tempfile.gettempdir()).glob("plogq-*"))

    before = kept()
    assert send(explorer_url, table.read_bytes(), "name=a.parquet&label=truth")[0] == 200
    assert send(explorer_url, b"no", "name=a.parquet")[0] == 400
    assert kept() == before


def test_the_name_is_the_readers(table):
    report = report_of_file(table, "C:\\models\\mine.parquet", label="truth")
    assert report["result"]["source"]["paths"] == ["mine.parquet"]


def test_the_example_is_computed_and_always_the_same():
    assert score(example_table()).cross_entropy == score(example_table()).cross_entropy


def test_plogq_explore_file_opens_on_its_report(browser, table):
    with explorer(str(table), "--label", "truth") as (url, _):
        assert url.endswith("/predictions")
        page = browser.new_page()
        page.goto(url)
        page.get_by_text("held out.parquet").first.wait_for()
        page.close()


def test_plogq_explore_says_what_is_wrong_with_its_file(table):
    command = [*PLOGQ, "explore", str(table), "--label", "none", "--no-browser"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=100)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"plogq: {table}: no column 'none'")


def test_json_that_is_no_result_is_a_table_wherever_it_lies(tmp_path):
    folder = tmp_path / "spark.json"
    folder.mkdir()
    (folder / "part-0.json").write_text('{"label": "b", "prob_a": 0.2, "prob_b": 0.8}\n' * 2)
    old = tmp_path / "old.json"
    old.write_bytes('[{"label": "é", "prob_é": 0.8, "prob_b": 0.2}]'.encode("cp1252"))
    for path, options in ((folder, {}), ((folder / "part-0.json").as_uri(), {}),
                          (old, {"encoding": "cp1252"})):  # fmt: skip
        found = report_of_file(path, "shown.json", unit="nat", bootstrap=0, **options)
        assert found["result"]["cross_entropy"] == pytest.approx(-np.log(0.8))
