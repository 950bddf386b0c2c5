"""plogq recalibrate: fitted, kept, applied to tables of every kind, and tried on other rows."""

import json
import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv as pc
import pyarrow.parquet as pq
import pytest

from plogq.compare import Validation
from plogq.score import Recalibration, score
from tests.cli.running import PLOGQ, plogq

CLASSES = ("cat", "dog", "eel")


def table(rows, seed, sharper=2.0):
    """Give labels of softmax(z) beside logits that are z times `sharper`, and other columns."""
    rng = np.random.default_rng(seed)
    z = rng.normal(0, 1.5, (rows, 3))
    y = np.argmax(z + rng.gumbel(size=z.shape), axis=1)
    columns = {f"logit_{name}": sharper * z[:, j] for j, name in enumerate(CLASSES)}
    names = pa.array([f"{i:04d}" for i in range(rows)])
    return pa.table(
        {"id": names, **columns, "label": np.array(CLASSES)[y], "site": rng.integers(0, 5, rows)}
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Give a folder with a table to fit to, others, and what was fitted."""
    folder = tmp_path_factory.mktemp("recalibrate")
    pq.write_table(table(3000, 0), folder / "valid.parquet")
    pq.write_table(table(3000, 1), folder / "test.parquet")
    pc.write_csv(table(3000, 1), folder / "test.csv")
    x = logits(table(3000, 1))
    labels = [CLASSES.index(name) for name in table(3000, 1)["label"].to_pylist()]
    np.savez(folder / "test.npz", logits=x, labels=np.array(labels))
    run = plogq("recalibrate", "valid.parquet", "--save", "kept.json", cwd=folder)
    assert run.returncode == 0, run.stderr
    return folder


def logits(of):
    return np.column_stack([of[f"logit_{name}"].to_numpy() for name in CLASSES])


def applied(folder, source, out, *options, kept="kept.json"):
    """Apply what was kept, and give what was written."""
    run = plogq("recalibrate", "--with", kept, source, "--out", out, *options, cwd=folder)
    assert run.returncode == 0, run.stderr
    return run.stdout


def test_what_is_fitted_is_what_a_score_takes(folder):
    kept = Recalibration.from_json(folder / "kept.json")
    assert kept == Recalibration.from_result(score(folder / "valid.parquet"))
    assert kept.family == "temperature"
    run = plogq("recalibrate", "valid.parquet", cwd=folder)
    report = " ".join(plogq("score", "valid.parquet", cwd=folder).stdout.split())
    for said in ("Recalibrate by one temperature", "On held-out rows that saves", "the simplest"):
        sentence = next(each for each in " ".join(run.stdout.split()).split(". ") if said in each)
        assert sentence in report


@pytest.mark.parametrize("source", ["test.parquet", "test.csv", "test.npz"])
@pytest.mark.parametrize("end", [".parquet", ".csv", ".csv.gz", ".arrow"])
def test_every_format_to_every_format(folder, source, end, tmp_path):
    out = tmp_path / f"out{end}"
    applied(folder, source, out)
    result = score(out, bootstrap=0)
    before = score(folder / "test.parquet", bootstrap=0)
    kept = Recalibration.from_json(folder / "kept.json")
    q = kept.apply(logits=logits(table(3000, 1)))
    y = [CLASSES.index(name) for name in table(3000, 1)["label"].to_pylist()]
    assert np.isclose(result.cross_entropy, -np.log2(q[np.arange(3000), y]).mean(), rtol=1e-12)
    assert result.cross_entropy < before.cross_entropy
    assert [path.name for path in tmp_path.iterdir()] == [out.name]


def test_lists_that_are_carried_along_cannot_become_text(folder, tmp_path):
    lists = pa.array([[1, 2]] * 100)
    pq.write_table(table(100, 1).append_column("tokens", lists), tmp_path / "t.parquet")
    run = plogq("recalibrate", "--with", folder / "kept.json", "t.parquet", "--out", "out.csv",
                cwd=tmp_path)  # fmt: skip
    assert run.returncode == 1
    assert "column 'tokens' must hold single values, to be written as text" in run.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["t.parquet"]


def test_everything_else_is_carried_along(folder, tmp_path):
    applied(folder, "test.parquet", tmp_path / "out.parquet")
    out = pq.read_table(tmp_path / "out.parquet")
    assert out.column_names == ["id", "prob_cat", "prob_dog", "prob_eel", "label", "site"]
    others = ["id", "label", "site"]
    assert out.select(others) == table(3000, 1).select(others)
    applied(folder, "test.csv", tmp_path / "out.csv")
    text = pc.ConvertOptions(column_types={"id": pa.string()})
    out = pc.read_csv(tmp_path / "out.csv", convert_options=text)
    assert out["id"].to_pylist()[:2] == ["0000", "0001"]  # and not 0, 1


def test_classes_are_matched_by_name_and_labels_are_not_needed(folder, tmp_path):
    mixed = table(3000, 1).select(["logit_eel", "site", "logit_cat", "logit_dog"])
    pq.write_table(mixed, tmp_path / "new.parquet")
    applied(folder, tmp_path / "new.parquet", tmp_path / "out.parquet")
    out = pq.read_table(tmp_path / "out.parquet")
    assert out.column_names == ["prob_eel", "prob_cat", "prob_dog", "site"]
    kept = Recalibration.from_json(folder / "kept.json")
    q = kept.apply(logits=logits(table(3000, 1)))
    for j, name in enumerate(CLASSES):
        assert np.array_equal(out[f"prob_{name}"].to_numpy(), q[:, j])


def written(path, family, parameters, classes):
    promise = {"cross_entropy": 1.0, "saved": 0.1, "interval": [0, 0.2], "unit": "bit", "rows": 9}
    document = {"schema": 1, "family": family, "parameters": parameters, "classes": classes}
    path.write_text(json.dumps(document | {"promise": promise}))


@pytest.mark.parametrize("kind", ["f4", "f8"])
def test_the_identity_writes_the_very_bits(kind, tmp_path):
    q = np.random.default_rng(0).dirichlet(np.ones(3), 500).astype(kind)
    columns = {f"p_{name}": q[:, j] for j, name in enumerate(CLASSES)}
    pq.write_table(pa.table(columns), tmp_path / "t.parquet")
    written(tmp_path / "identity.json", "identity", {}, CLASSES)
    said = applied(tmp_path, "t.parquet", "out.parquet", "--probs", "p_*", kept="identity.json")
    assert "their probabilities as they were" in said
    out = pq.read_table(tmp_path / "out.parquet")
    for j, name in enumerate(CLASSES):
        assert np.array_equal(out[f"prob_{name}"].to_numpy(), q[:, j].astype("f8"))


def test_a_calibrated_model_is_told_to_leave_its_predictions_alone(tmp_path):
    pq.write_table(table(3000, 0, sharper=1.0), tmp_path / "t.parquet")
    run = plogq("recalibrate", "t.parquet", "--save", "kept.json", cwd=tmp_path)
    assert "Leave the predictions as they are" in run.stdout
    assert Recalibration.from_json(tmp_path / "kept.json").family == "identity"


def test_one_column_of_two_classes(tmp_path):
    rng = np.random.default_rng(0)
    x = rng.normal(0, 2, 2000)
    y = (rng.random(2000) < 1 / (1 + np.exp(-x))).astype(int)
    pq.write_table(pa.table({"logit": 2 * x, "y": y}), tmp_path / "t.parquet")
    run = plogq("recalibrate", "t.parquet", "--save", "kept.json", cwd=tmp_path)
    assert run.returncode == 0, run.stderr
    applied(tmp_path, "t.parquet", "out.parquet")
    out = pq.read_table(tmp_path / "out.parquet")
    assert out.column_names == ["prob_0", "prob_1", "y"]
    kept = Recalibration.from_json(tmp_path / "kept.json")
    after = score(tmp_path / "out.parquet", bootstrap=0).cross_entropy
    in_sample = score(tmp_path / "t.parquet", bootstrap=0).temperature.cross_entropy
    assert kept.family == "temperature"
    assert np.isclose(after, in_sample, rtol=1e-12)


def test_one_column_whose_class_is_not_known_is_refused(tmp_path):
    """It might be the probability of either class, and one of them is wrong."""
    kept = Recalibration.fit({"probs": np.full((60, 2), 0.5), "labels": np.arange(60) % 2})
    kept = replace(kept, classes=("bad", "good"))
    (tmp_path / "kept.json").write_text(kept.to_json())
    (tmp_path / "new.csv").write_text("p_bad,id\n0.25,a\n0.5,b\n")
    way = ("recalibrate", "--with", "kept.json", "new.csv", "--probs", "p_bad", "--out", "o.csv")
    run = plogq(*way, cwd=tmp_path)
    assert run.returncode == 1
    expected = "column 'p_bad' must have the classes of the calibration (--classes bad,good); got 0"
    assert expected in run.stderr
    run = plogq(*way, "--classes", "bad,good", cwd=tmp_path)
    assert (run.returncode, run.stderr) == (0, "")
    assert "prob_bad" in (tmp_path / "o.csv").read_text()
    assert "0.25" in (tmp_path / "o.csv").read_text()


def test_promised_against_kept(folder, tmp_path):
    run = plogq("recalibrate", "valid.parquet", "--test", "test.csv", "--json", tmp_path / "v.json",
                "--out", tmp_path / "out.parquet", cwd=folder)  # fmt: skip
    assert run.returncode == 0, run.stderr
    assert "The promise is kept" in run.stdout
    found = Validation.read(json.loads((tmp_path / "v.json").read_text()))
    assert found.promise == Recalibration.from_json(folder / "kept.json").promise
    before = score(folder / "test.csv", bootstrap=0).cross_entropy
    after = score(tmp_path / "out.parquet", bootstrap=0).cross_entropy
    assert (found.before, found.rows) == (before, 3000)
    assert np.isclose(found.after, after, rtol=1e-12)
    again = plogq("recalibrate", "--with", "kept.json", "--test", "test.csv", "--json", "-",
                  cwd=folder)  # fmt: skip
    assert json.loads(again.stdout) == json.loads((tmp_path / "v.json").read_text())


REFUSED = {
    "": "TABLE is missing",
    "--with kept.json": "--with takes a TABLE and --out, or --test TABLE",
    "--with kept.json test.csv": "--with TABLE takes --out FILE",
    "--with kept.json a --test b": "--with takes a TABLE and --out, or --test TABLE",
    "--with kept.json a --out b.csv --save c": "--save goes with a fit",
    "valid.parquet --out b.csv": "--out takes --with FILE, or --test TABLE",
    "valid.parquet --json b": "--json goes with --test",
    "valid.parquet --test valid.parquet": "--test takes other rows",
}


@pytest.mark.parametrize("words", REFUSED)
def test_options_that_do_not_go_together(folder, words):
    run = plogq("recalibrate", *words.split(), cwd=folder)
    assert run.returncode == 2
    assert REFUSED[words] in run.stderr


def test_bad_input_leaves_nothing(folder, tmp_path):
    bad = logits(table(3000, 1))
    bad[2500, 1] = np.nan
    np.savez(tmp_path / "bad.npz", logits=bad)
    others = table(100, 2).rename_columns(
        ["id", "logit_cat", "logit_dog", "logit_fox", "label", "site"]
    )
    pq.write_table(others, tmp_path / "others.parquet")
    clash = table(100, 2).append_column("prob_cat", pa.array(np.zeros(100)))
    pq.write_table(clash, tmp_path / "clash.parquet")
    (tmp_path / "old.json").write_text(
        (folder / "kept.json").read_text().replace(": 1,", ": 0,", 1)
    )
    kept, out = folder / "kept.json", tmp_path / "out.parquet"
    cases = [
        ((kept, "bad.npz"), "(first at row 2500)"),
        ((kept, "others.parquet"), "3 (cat, dog, eel); got 3 (cat, dog, fox)"),
        ((kept, "clash.parquet", "--logits", "logit_*"), "column 'prob_cat' must be free"),
        (("old.json", folder / "test.csv"), "schema: expected 1, got 0"),
        (("none.json", folder / "test.csv"), "none.json"),
        ((kept, "none.parquet"), "none.parquet: no such file"),
    ]
    there = sorted(tmp_path.iterdir())
    for (calibration, *words), said in cases:
        run = plogq("recalibrate", "--with", calibration, *words, "--out", out, cwd=tmp_path)
        assert run.returncode == 1, said
        assert len(run.stderr.splitlines()) == 1
        assert said in run.stderr
        assert sorted(tmp_path.iterdir()) == there
    run = plogq("recalibrate", "--with", kept, "bad.npz", "--out", "out.txt", cwd=tmp_path)
    assert "--out must end in one of .parquet" in run.stderr
    run = plogq("recalibrate", "--with", kept, "bad.npz", "--out", "bad.npz", cwd=tmp_path)
    assert run.returncode == 1


def test_a_fit_is_kept_where_writing_the_rows_fails(folder, tmp_path):
    bad = logits(table(300, 1))
    bad[200, 1] = np.nan
    np.savez(tmp_path / "bad.npz", logits=bad, label=np.asarray(table(300, 1)["label"]))
    words = ["--save", tmp_path / "kept.json", "--test", "bad.npz", "--out", tmp_path / "out.csv"]
    run = plogq("recalibrate", folder / "valid.parquet", *words, cwd=tmp_path)
    assert run.returncode == 1
    assert Recalibration.from_json(tmp_path / "kept.json").family != "identity"
    assert not (tmp_path / "out.csv").exists()


BIG = 1_200_000


@pytest.fixture(scope="module")
def big(tmp_path_factory):
    path = tmp_path_factory.mktemp("big") / "big.parquet"
    with pq.ParquetWriter(path, table(1, 0).schema) as writer:
        for seed in range(4):
            writer.write_table(table(BIG // 4, seed))
    return path


ROOT = Path(__file__).parents[2]
PEAK = (
    "import sys; from plogq.cli import main; from tests.memory import growth;"
    "sys.argv[0] = 'plogq'; print(growth(main) / 2**20)"
)


def test_memory_is_flat(folder, big, tmp_path):
    """The second table has 70 MB of predictions more, and as many come of them."""
    twice = tmp_path / "twice.parquet"
    whole = pq.read_table(big)
    with pq.ParquetWriter(twice, whole.schema) as writer:
        for _ in range(2):
            writer.write_table(whole, row_group_size=BIG // 4)
    peak = {}
    for name, source in (("big", big), ("twice", twice)):
        command = ["recalibrate", "--with", "kept.json", str(source), "--out", f"{name}.arrow"]
        done = subprocess.run(
            [sys.executable, "-c", PEAK, *command], cwd=folder, capture_output=True, text=True,
            check=True, env={**os.environ, "PYTHONPATH": str(ROOT)},
        )  # fmt: skip
        peak[name] = float(done.stdout.splitlines()[-1])
    assert peak["twice"] < peak["big"] + 50  # MB


def test_an_interrupt_leaves_nothing(folder, big, tmp_path):
    out = tmp_path / "out.csv"
    process = subprocess.Popen(
        [*PLOGQ, "recalibrate", "--with", "kept.json", str(big), "--out", str(out)],
        cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    while process.poll() is None and not list(tmp_path.iterdir()):
        pass
    process.send_signal(signal.SIGINT)
    assert process.wait(60) == 130
    assert not list(tmp_path.iterdir())
