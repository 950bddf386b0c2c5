"""The benchmarks' history: what is read of a printed table, which ratio moved, what is drawn."""

import importlib
import json
import math
import re
import subprocess
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
RESULTS = BENCHMARKS / "results"
MACHINE = "processor: AMD EPYC\ncores of this process: 2\nOMP_NUM_THREADS: not set\n"


@pytest.fixture
def history(monkeypatch):
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    return importlib.import_module("history")


@pytest.fixture
def of_ratios(monkeypatch):
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    return importlib.import_module("_ratios")


def watched(alone, ours, processor="AMD EPYC"):
    head = MACHINE.replace("AMD EPYC", processor)
    columns = "ms per step   alone  watched  ratio  first 3, more"
    return f"{head}\n{columns}\nnet  {alone}  {ours}  1.0  75\n"


NUMBER = r" +([\d.]+)"
SKIPPED = r" +[\d.]+"

# A ratio of each benchmark, and where its table has plogq's number and the other's.
PRINTED = {
    "codes": (
        "one distribution for 10,000,000 symbols of 10: constriction, encode",
        "plogq compress" + NUMBER,
        "constriction encode" + NUMBER,
    ),
    "cross_entropy": (
        "200000 x 10: torch, forward",
        "\ntorch" + SKIPPED + NUMBER,
        "\ntorch" + NUMBER,
    ),
    "jax_losses": (
        "rows, 4096 x 32000 float32: optax / plogq",
        "\nplogq" + NUMBER,
        "\noptax" + NUMBER,
    ),
    "keras_losses": (
        "4096 x 32000 float32, torch: keras / plogq",
        "\nplogq" + NUMBER,
        "\nkeras" + NUMBER,
    ),
    "linear_heads": (
        "4096 x 768 x 50304 float32: products",
        "\nms" + NUMBER,
        "\nms" + 2 * SKIPPED + NUMBER,
    ),
    "parallel_losses": (
        "two processes: Megatron",
        "\nms" + NUMBER,
        "\nms" + 2 * SKIPPED + NUMBER,
    ),
    "scaling": (
        "20,000,000 rows × 10 float32 logits: dask, 2 workers",
        "dask, 2 workers" + NUMBER,
        "dask, 1 worker" + NUMBER,
    ),
    "score": (
        "read: pyarrow, batch by batch",
        "--json" + NUMBER,
        "batch by batch" + NUMBER,
    ),
    "score_size": (
        "100,000,000 rows × 10 float32 in 4 files: pyarrow, little at a time",
        "--json" + NUMBER,
        "little at a time" + NUMBER,
    ),
    "torch_losses": (
        "cross_entropy, 4096 x 32000 float32: torch, torch at its defaults",
        "defaults, ms" + 2 * SKIPPED + NUMBER,
        "defaults, ms" + NUMBER,
    ),
    "training": (
        "torch, digits",
        "  plogq" + NUMBER,
        "  torch" + NUMBER,
    ),
    "watch": (
        "small network: alone",
        "small network" + SKIPPED + NUMBER,
        "small network" + NUMBER,
    ),
}


def test_every_reader_has_a_ratio_read_by_hand(of_ratios):
    assert set(PRINTED) == set(of_ratios.READERS)


@pytest.mark.parametrize("benchmark", PRINTED)
def test_a_ratio_is_their_cost_over_ours(of_ratios, benchmark):
    """The same two numbers, found in the table by another way."""
    name, *patterns = PRINTED[benchmark]
    text = (RESULTS / f"{benchmark}.txt").read_text()
    ours, theirs = (float(re.search(pattern, text)[1]) for pattern in patterns)
    right = ours / theirs if benchmark == "codes" else theirs / ours  # rates, not times
    assert of_ratios.ratios(benchmark, text)[name] == pytest.approx(right, rel=1e-12)


def test_every_printed_x_is_read(of_ratios):
    """cross_entropy prints its ratios, too, each from the unrounded times."""
    text = (RESULTS / "cross_entropy.txt").read_text()
    found = list(of_ratios.ratios("cross_entropy", text).values())
    lines = [of_ratios.numbers(line) for line in text.splitlines()]
    printed = [line[i] for line in lines if len(line) == 11 for i in (2, 5, 7, 9)]
    assert found == pytest.approx(printed, rel=0.01)
    assert len(found) == 64


def test_a_result_without_a_machine_is_refused(of_ratios):
    with pytest.raises(ValueError, match="processor"):
        of_ratios.machine("4096 x 768\n")


def test_two_ratios_of_one_name_are_refused(of_ratios):
    text = watched(1, 2)
    with pytest.raises(ValueError, match="two ratios are named 'net: alone'"):
        of_ratios.ratios("watch", text + text[text.index("\nms") :])


def test_the_results_of_a_benchmark_without_peers_are_none(of_ratios):
    assert of_ratios.ratios("explorer", (RESULTS / "explorer.txt").read_text()) == {}


def runs(history, *values, processor="AMD EPYC"):
    texts = (watched(1, 1 / value, processor) for value in values)
    return [
        history.read(text, f"2026-01-{day:02} 00:00", "watch") for day, text in enumerate(texts, 1)
    ]


def test_a_ratio_moves_by_more_than_three_spreads(history):
    """Changes of 5 %, 6 %, 4 %: their median is 5 %, and three of 1.4826 times it are 22 %."""
    steps = [0.05, 0.06, -0.04]
    start = [math.exp(sum(steps[:i])) for i in range(4)]
    limit = 3 * 1.4826 * 0.05
    for step, moved in ((0.98 * limit, False), (1.02 * limit, True), (-1.02 * limit, True)):
        (change,) = history.changes(runs(history, *start, start[-1] * math.exp(step)))
        assert change.moved() == moved
        assert change.spread == pytest.approx(1.4826 * 0.05, rel=0.01)  # ratios keep four digits


def test_the_change_in_question_is_not_in_its_own_spread(history):
    (change,) = history.changes(runs(history, 1.0, 2.0))
    assert (change.spread, change.moved()) == (history.UNKNOWN_SPREAD, True)


def test_runs_that_agree_promise_no_more_than_the_least_spread(history):
    (change,) = history.changes(runs(history, 1.0, 1.0, 1.0, 1.05))
    assert (change.spread, change.moved()) == (history.LEAST_SPREAD, False)


def test_machines_are_not_compared(history):
    first, other = runs(history, 1.0), runs(history, 3.0, processor="Another")
    assert list(history.changes(first + other)) == []


def test_with_few_runs_of_its_own_a_ratio_has_the_spread_of_all(history):
    first, second = runs(history, 1.0, 1.1)
    first = first._replace(ratios=first.ratios | {"b": 1.0, "c": 1.0})
    second = second._replace(ratios=second.ratios | {"b": 1.3, "c": 1.2})
    third = second._replace(date="2026-02-01 00:00")
    spreads = {change.name: change.spread for change in history.changes([first, second, third])}
    assert set(spreads.values()) == {1.4826 * math.log(1.2)}


def test_adding_twice_adds_once(history, tmp_path):
    (tmp_path / "results").mkdir()
    (tmp_path / "results" / "watch.txt").write_text(watched(1, 2))
    kept = tmp_path / "history.jsonl"
    words = ["add", "--results", str(tmp_path / "results"), "--history", str(kept)]
    assert history.main([*words, "--date", "2026-01-02 03:04"]) == 0
    once = kept.read_text()
    assert json.loads(once) == {
        "date": "2026-01-02 03:04",
        "processor": "AMD EPYC",
        "cores": "2",
        "threads": "not set",
        "benchmark": "watch",
        "ratios": {"net: alone": 0.5},
    }
    assert history.main([*words, "--date", "2026-01-03 00:00"]) == 0
    assert kept.read_text() == once
    assert {path.name for path in tmp_path.iterdir()} == {"results", kept.name}


def test_moved_says_which_and_by_its_exit_status(history, tmp_path, capsys):
    kept = tmp_path / "history.jsonl"
    history.write(kept, runs(history, 1.0, 1.01))
    assert history.main(["moved", "--history", str(kept)]) == 0
    assert capsys.readouterr().out == "0 of 1 ratios moved by more than their spread\n"
    history.write(kept, runs(history, 1.0, 0.5))
    assert history.main(["moved", "--history", str(kept)]) == 3
    first, last = capsys.readouterr().out.splitlines()
    assert first == "watch: net: alone: 1.00 -> 0.50 (-50%, its spread explains -26%)"
    assert last == "1 of 1 ratios moved by more than their spread"


def test_every_version_in_git_is_read(history, tmp_path):
    """Under the date of its commit, and of a file that was renamed, too."""

    def git(*words, when="2026-01-01T00:00:00Z"):
        who = ["-c", "user.name=a", "-c", "user.email=a@b"]
        env = {"GIT_COMMITTER_DATE": when, "GIT_AUTHOR_DATE": when, "HOME": str(tmp_path)}
        env |= {"PATH": "/usr/local/bin:/usr/bin:/bin", "GIT_CONFIG_NOSYSTEM": "1"}
        subprocess.run(["git", "-C", str(tmp_path), *who, *words], check=True, env=env)

    git("init", "-q")
    old, results = tmp_path / "old", tmp_path / "results"
    old.mkdir()
    results.mkdir()
    (old / "watch.txt").write_text(watched(1, 2))
    git("add", ".")
    git("commit", "-qm", "a")
    (old / "watch.txt").rename(results / "watch.txt")
    git("add", "-A")
    git("commit", "-qm", "b", when="2026-01-02T00:00:00Z")
    (results / "watch.txt").write_text(watched(1, 4))
    git("commit", "-qam", "c", when="2026-01-03T00:00:00Z")
    found = history.with_new([], history.from_git(results))
    assert [(run.date, *run.ratios.values()) for run in found] == [
        ("2026-01-01 00:00", 0.5),
        ("2026-01-03 00:00", 0.25),
    ]


def test_the_page_draws_every_run(history, tmp_path):
    found = runs(history, 1.0, 1.01, 3.0) + runs(history, 2.0, processor="Another & <other>")
    (tmp_path / "history").mkdir()
    (tmp_path / "history" / "gone.svg").write_text("no longer shown")
    history.write_page(tmp_path / "history.md", found)
    page = (tmp_path / "history.md").read_text()
    pictures = re.findall(r"\(history/([^)]*)\)", page)
    assert sorted(pictures) == sorted(path.name for path in (tmp_path / "history").iterdir())
    first, second = (
        ElementTree.parse(tmp_path / "history" / name)
        for name in sorted(pictures, key=lambda name: "Another" in name)
    )
    circles = [c.get("class") for c in first.iter() if c.tag.endswith("circle")]
    assert circles == ["dot", "dot", "dot moved"]
    assert [c.get("class") for c in second.iter() if c.tag.endswith("circle")] == ["dot"]
    heights = [float(c.get("cy")) for c in first.iter() if c.tag.endswith("circle")]
    one = next(float(e.get("y1")) for e in first.iter() if e.tag.endswith("line"))
    assert heights[0] == one > heights[1] > heights[2]  # 1 is on the line, and more is higher
    assert any(e.text == "3.00" for e in first.iter())


def test_the_committed_page_is_what_the_history_draws(history):
    """`make history` draws it anew."""
    made = history.page(history.kept(history.KEPT))
    shown = {name: (history.PAGE.parent / name).read_text() for name in made}
    assert shown == made
    files = {path.name for path in (history.PAGE.parent / "history").iterdir()}
    assert files == {Path(name).name for name in made if name != "history.md"}
