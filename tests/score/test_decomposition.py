"""Refinement and miscalibration: their laws, a naive recomputation, and the known truth."""

import json
import math
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plogq.score import Recalibration, score
from plogq.score.figures import decomposition
from plogq.score.recalibration import LabelledRows, cross_fit, log_softmax
from plogq.score.recalibration.families.temperature import Temperature
from plogq.score.state import sample
from plogq.tables.sums.bootstrap import fold_of_buckets, row_buckets
from plogq.tables.sums.level import NORMAL_END
from tests.score.tables import drawn

PEERS = json.loads((Path(__file__).parents[1] / "data" / "decomposition_peers.json").read_text())


def divergence(table, distort, seed):
    """The true miscalibration of `drawn`, in nats."""
    rng = np.random.default_rng(seed)
    z = 1.5 * rng.standard_normal((len(table["labels"]), table["logits"].shape[1]))
    log_p, log_q = log_softmax(z), log_softmax(distort(z))
    return float((np.exp(log_p) * (log_p - log_q)).sum(axis=1).mean())


@settings(max_examples=60)
@given(
    rows=st.integers(1, 120),
    classes=st.integers(2, 5),
    soft=st.booleans(),
    weighted=st.booleans(),
    impossible=st.booleans(),
    sharpness=st.floats(0.1, 10),
    folds=st.integers(2, 7),
    seed=st.integers(0, 1000),
)
def test_laws(rows, classes, soft, weighted, impossible, sharpness, folds, seed):
    rng = np.random.default_rng(seed)
    x = sharpness * rng.standard_normal((rows, classes))
    if impossible:
        x[rng.random((rows, classes)) < 0.05] = -np.inf
        x[np.isneginf(x).all(axis=1)] = 0
    labels = rng.dirichlet(np.ones(classes), rows) if soft else rng.integers(0, classes, rows)
    weight = rng.gamma(1.0, size=rows) + 1e-6
    result = score(
        {"logits": x, "labels": labels, "w": weight},
        weight="w" if weighted else None, folds=folds, bootstrap=40, seed=seed,
    )  # fmt: skip
    if result.refinement is None:
        assert result.cross_entropy == math.inf
        assert result.miscalibration is result.resolution is result.recalibration is None
        return
    found = result.recalibration
    assert result.cross_entropy == pytest.approx(
        result.refinement + result.miscalibration, rel=1e-12, abs=1e-12
    )
    assert result.label_entropy == pytest.approx(
        result.refinement + result.resolution, rel=1e-12, abs=1e-12
    )
    assert result.miscalibration >= 0
    assert math.isfinite(result.refinement)
    assert found.cross_entropy[found.family] == pytest.approx(result.refinement, rel=1e-12)
    assert found.cross_entropy["identity"] == pytest.approx(result.cross_entropy, rel=1e-12)
    if found.family == "identity":
        assert result.miscalibration == 0
    for name, (low, high) in result.intervals.items():
        assert low <= getattr(result, name) <= high, name


def test_refinement_is_the_held_out_loss_of_the_family_taken():
    """Of a table that is sampled whole: fold by fold, with the fits made here."""
    table = drawn(900, 3, 1, lambda z: 2 * z)
    result = score(table, unit="nat", folds=4, seed=7)
    assert result.recalibration.family == "temperature"
    log_q, n = log_softmax(table["logits"]), 900
    bucket = row_buckets(0, n, 4096, 7)
    fold = fold_of_buckets(np.bincount(bucket, minlength=4096) > 0, 4, 7)[bucket]
    assert np.bincount(fold).tolist() == [225] * 4
    losses = np.empty(n)
    for f in range(4):
        learn, judge = np.flatnonzero(fold != f), np.flatnonzero(fold == f)
        rows = LabelledRows(log_q, table["labels"], np.ones(n), np.full(3, 1 / 3))
        losses[judge] = Temperature.fit(rows.take(learn)).losses(rows.take(judge))
    assert result.refinement == pytest.approx(losses.mean(), rel=1e-9)
    log_scaled = log_softmax(table["logits"] / result.recalibration.parameters["temperature"])
    in_sample = -log_scaled[np.arange(n), table["labels"]].mean()
    assert in_sample < result.refinement < in_sample + 3 / n


@pytest.mark.parametrize(
    ("distort", "family"),
    [
        (lambda z: 2 * z, "temperature"),
        (lambda z: 0.6 * z, "temperature"),
        (lambda z: z + np.array([0.8, 0.0, -0.8]), "vector"),
        (lambda z: z, "identity"),
    ],
)
def test_the_truth_is_found_and_named(distort, family):
    table = drawn(4000, 3, 3, distort)
    true = divergence(table, distort, 3)
    result = score(table, unit="nat")
    assert result.recalibration.family == family
    assert result.miscalibration == pytest.approx(true, abs=0.1 * true + 1e-3)


def test_what_bends_takes_isotonic():
    result = score(drawn(8000, 2, 4, lambda z: 2 * np.tanh(2 * z)), unit="nat")
    assert result.recalibration.family == "isotonic"


@pytest.mark.slow
def test_calibrated_predictions_are_left_alone():
    """Of 100 tables few are told to recalibrate, and those to save next to nothing."""
    saved = [score(drawn(300, 3, seed), unit="nat", bootstrap=0).miscalibration
             for seed in range(100)]  # fmt: skip
    assert np.count_nonzero(saved) <= 15
    assert np.mean(saved) < 2e-3


def test_a_temperature_that_is_sure_is_not_left_alone():
    """Too little confidence, of a saving within its own noise, as overconfidence shows."""
    found = 0
    for seed in range(20):
        result = score(drawn(600, 10, seed, lambda z: 0.8 * z), unit="nat")
        high = result.intervals["overconfidence"][1]
        if high < 0 and max(result.recalibration.cross_entropy.values()) > result.refinement:
            found += 1
            assert result.recalibration.family != "identity"
    assert found > 15


@pytest.fixture
def learnt(monkeypatch):
    """What the last score fitted families to, and what it found."""
    seen = {}

    def spy(rows, surprisal, fold, base, families):
        losses, fits = cross_fit(rows, surprisal, fold, base, families)
        seen.update(rows=rows, fold=fold, base=base, losses=losses, fits=fits)
        return losses, fits

    monkeypatch.setattr(decomposition, "cross_fit", spy)
    return seen


def rule(losses, beyond):
    """The family that is taken: the simplest within one standard error of the best."""

    def error(values):
        return values.std() / math.sqrt(len(values))

    cost = losses.mean(axis=1)
    best = int(np.argmin(cost))
    calibrated = abs(beyond.mean()) <= NORMAL_END * error(beyond)
    for k in range(len(losses)):
        near = cost[k] - cost[best] <= error(losses[k] - losses[best])
        if near and cost[k] <= cost[0] and (k > 0 or calibrated or best == 0):
            return k, calibrated
    raise AssertionError


def test_the_family_taken_is_that_of_the_rule(learnt):
    """Recomputed from each row's held-out loss: by its error, and by the score test of T = 1."""
    cases = set()
    for seed in range(60):
        table = drawn(500, 4, seed, lambda z, t=0.8 + seed / 120: t * z)
        result = score(table, unit="nat", bootstrap=0, seed=seed)
        log_q = log_softmax(table["logits"])
        surprisal = -log_q[np.arange(500), table["labels"]]
        beyond = surprisal + (np.exp(log_q) * log_q).sum(axis=1)
        chosen, calibrated = rule(learnt["losses"], beyond)
        assert result.recalibration.family == learnt["fits"][chosen].name
        without, _ = rule(learnt["losses"], beyond * 0)
        cases |= {(chosen > 0, calibrated), ("changed", chosen != without)}
    assert {(True, False), (False, True), ("changed", True)} <= cases


def test_base_rates_do_not_know_the_fold_that_is_judged(learnt):
    table = drawn(300, 3, 4)
    score(table, bootstrap=0)
    assert len(learnt["base"]) == 5
    for number, base in enumerate(learnt["base"]):
        seen = np.bincount(table["labels"][learnt["fold"] != number], minlength=3) + 0.5
        assert base == pytest.approx(seen / seen.sum(), rel=1e-12)
    every = np.bincount(table["labels"], minlength=3) + 0.5
    assert learnt["rows"].base == pytest.approx(every / every.sum(), rel=1e-12)


def test_a_sampled_row_weighs_what_it_stands_for(learnt, monkeypatch):
    """2 impossible rows of 20,000 are all sampled, and of the others 800."""
    monkeypatch.setattr(sample, "SAMPLE_ROWS", 800)
    table = drawn(20_000, 3, 11)
    table["logits"][[4, 9999]] = [[0.0, -np.inf, -np.inf]]
    table["labels"][[4, 9999]] = 2
    score(table, bootstrap=0)
    rows = learnt["rows"]
    per_row = rows.weight * 20_000 / rows.weight.sum()
    assert per_row[~rows.possible] == pytest.approx(1.0, rel=1e-12)
    assert per_row[rows.possible] == pytest.approx(19_998 / 800, rel=1e-12)


def test_impossible_rows_are_mended():
    table = drawn(1000, 3, 5, lambda z: 1.5 * z)
    table["logits"][:10] = [[0.0, -np.inf, -np.inf]]
    table["labels"][:10] = 1
    result = score(table)
    assert result.cross_entropy == result.miscalibration == math.inf
    assert result.recalibration.family == "temperature+base"
    assert result.recalibration.cross_entropy["temperature"] == math.inf
    assert result.refinement > result.cross_entropy_finite * 0.5
    assert result.resolution == pytest.approx(result.label_entropy - result.refinement)
    parameters = result.recalibration.parameters
    q = np.exp(log_softmax(table["logits"] / parameters["temperature"]))
    mended = (1 - parameters["epsilon"]) * q + parameters["epsilon"] * np.array(parameters["base"])
    at_fit = -np.log2(mended[np.arange(1000), table["labels"]]).mean()
    assert result.refinement == pytest.approx(at_fit, rel=0.01)
    assert "miscalibration" not in result.intervals
    low, high = result.intervals["refinement"]
    assert low < result.refinement < high


def test_every_row_impossible():
    result = score({"probs": np.tile([[1.0, 0.0]], (30, 1)), "labels": np.ones(30, int)})
    assert result.miscalibration == math.inf
    assert math.isfinite(result.refinement)
    assert result.temperature is None


def test_nothing_to_hold_out_of_one_impossible_row():
    result = score({"probs": np.array([[1.0, 0.0]]), "labels": np.array([1])})
    assert result.refinement is result.recalibration is None
    assert json.loads(result.to_json())["miscalibration"] is None
    assert "no_recalibration" in [warning.code for warning in result.warnings]


@pytest.mark.parametrize("rows", [1, 2, 3, 9])
def test_few_rows_are_said_to_be_few(rows):
    result = score(drawn(rows, 3, 6))
    assert result.recalibration.family == "identity"
    assert result.refinement == result.cross_entropy
    codes = {w.code for w in result.warnings}
    assert "no_recalibration" in codes
    assert ("few_rows" in codes) == (rows > 1)  # of one row there is no interval
    assert set(result.recalibration.aside) == {
        "temperature", "temperature+base", "vector", "isotonic",
    }  # fmt: skip


def test_fewer_rows_than_folds():
    assert score(drawn(12, 2, 7), folds=100).recalibration.folds == 12


def test_one_class_alone():
    lists = pa.array([[0.0]] * 30)
    result = score({"logits": lists, "labels": np.zeros(30, int)}, classes=["only"])
    assert result.refinement == result.miscalibration == 0
    assert set(result.recalibration.aside.values()) == {"one class"}


def test_labels_all_of_one_class():
    result = score(drawn(100, 3, 8) | {"labels": np.zeros(100, int)})
    assert result.label_entropy == 0
    assert result.refinement < 0.1 * result.cross_entropy
    assert "explained" not in result.intervals


def test_groups_are_held_out_as_one():
    """A label that is a group's own is learnt by rows, not by groups."""
    rng = np.random.default_rng(9)
    site = np.repeat(np.arange(40), 50)
    labels = np.repeat(rng.integers(0, 2, 40), 50)
    # Log-odds that only tell which site it is: by rows, what its label is can be learnt.
    table = pa.table({"logits": (site - 20) / 4.0, "labels": labels, "site": site})
    by_row = score(table, unit="nat")
    by_site = score(table, unit="nat", group="site")
    assert by_row.recalibration.cross_entropy["isotonic"] < 0.62 < math.log(2)
    assert by_site.recalibration.cross_entropy["isotonic"] > 0.75 > math.log(2)
    width = [np.diff(r.intervals["accuracy"])[0] for r in (by_row, by_site)]
    assert width[1] > 3 * width[0]


def test_of_a_sample_only_the_saving_is_an_estimate(monkeypatch):
    table = drawn(20_000, 3, 10, lambda z: 2 * z)
    whole = score(table)
    monkeypatch.setattr(sample, "SAMPLE_ROWS", 4000)
    part = score(table)
    assert part.recalibration.rows == 4000
    assert part.cross_entropy == whole.cross_entropy
    assert part.miscalibration != whole.miscalibration
    assert part.miscalibration == pytest.approx(whole.miscalibration, rel=0.1)
    low, high = part.intervals["miscalibration"]
    assert low < whole.miscalibration < high
    width = [np.diff(r.intervals["miscalibration"])[0] for r in (whole, part)]
    assert 1.5 < width[1] / width[0] < 3.5  # √5 = 2.2


def test_rare_impossible_rows_are_all_in_the_sample(monkeypatch):
    monkeypatch.setattr(sample, "SAMPLE_ROWS", 800)
    table = drawn(20_000, 3, 11)
    table["logits"][[4, 9999]] = [[0.0, -np.inf, -np.inf]]
    table["labels"][[4, 9999]] = 2
    result = score(table, unit="nat")
    assert result.recalibration.rows == 802
    assert result.recalibration.family == "temperature+base"
    # Weighed as two rows of 20,000, and not of 802, where they would cost 0.015 nats at least.
    assert result.refinement == pytest.approx(result.cross_entropy_finite, abs=0.01)


def test_weights_count_as_rows_do():
    table = drawn(500, 3, 12, lambda z: 2 * z)
    twice = {name: np.repeat(values, 2, axis=0) for name, values in table.items()}
    weighted = score(table | {"w": np.full(500, 2.0)}, weight="w")
    assert weighted.refinement == pytest.approx(score(table).refinement, rel=1e-12)
    assert weighted.cross_entropy == pytest.approx(score(twice).cross_entropy, rel=1e-14)
    assert weighted.refinement == pytest.approx(score(twice).refinement, rel=0.03)


@pytest.mark.parametrize("case", PEERS)
def test_against_peers(case, monkeypatch):
    """Held-out losses of the families that probmetrics has as well, on the same tables.

    Folds differ, and so do details: it mixes its temperature with the uniform distribution, and
    fits isotonic regression to single rows, smoothed otherwise. Its isotonic terms are worse than
    ours by what steps cost that no end rows hold.
    """
    monkeypatch.syspath_prepend(str(Path(__file__).parents[2] / "benchmarks"))
    import decomposition as benchmark

    x, labels, true = benchmark.draw(case, 0)
    theirs, ours = PEERS[case], benchmark.ours(x, labels)
    cross_entropy = ours["refinement, identity"]
    assert cross_entropy == pytest.approx(theirs["cross_entropy"], rel=1e-6)  # the same table
    assert ours["refinement, temperature"] == pytest.approx(theirs["refinement, ts-mix"], abs=5e-3)
    assert ours["refinement, temperature+base"] < theirs["refinement, ts-mix"] + 5e-3
    if "refinement, isotonic" in ours:
        assert ours["refinement, isotonic"] < theirs["refinement, isotonic-mix"] + 5e-3
    # In-sample, isotonic regression takes noise for miscalibration: always more of it than ours.
    if math.isfinite(theirs.get("miscalibration, model-diagnostics", math.inf)):
        assert ours["plogq"] < theirs["miscalibration, model-diagnostics"]
    # And ours is no farther from the truth than any of theirs, but for 3 millinats.
    errors = [abs(value - true) for name, value in theirs.items() if "miscalibration" in name]
    assert abs(ours["plogq"] - true) < min(errors) + 3e-3


@pytest.mark.parametrize("sure", [0.9, 0.99, 0.9999])
def test_what_no_row_contradicts_is_not_made_certain(sure):
    """60 right rows let any sharpening look good; the first wrong one would cost 64 times more."""
    q = np.full((60, 3), (1 - sure) / 2)
    labels = np.arange(60) % 3
    q[np.arange(60), labels] = sure
    found = Recalibration.fit(labels, q)
    wrong = found.apply(probs=q)[0, 1]
    assert wrong > min((1 - sure) / 2, 1e-3) / 2
