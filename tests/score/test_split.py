"""Any split of the rows into batches, and any order of merging, gives the same bits."""

import itertools

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plogq.records import Source
from plogq.score import job, score
from plogq.score.figures.all_figures import summarise
from plogq.score.state import sample
from plogq.score.state.state import State
from plogq.score.workers import threads as local
from plogq.tables import readers
from plogq.tables.batch import classes_of, to_batch
from plogq.tables.columns import find_columns
from plogq.tables.labels import Labels
from plogq.tables.readers import Part
from plogq.tables.row_figures import figures


def table(kind, soft, weighted, rows, classes, seed):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(rows, classes)) * 3
    if kind == "probs":
        x = np.exp(x)
        x /= x.sum(axis=1, keepdims=True)
        x[rng.random(rows) < 0.1] = np.eye(classes)[0]  # some impossible events
    label = rng.integers(0, classes, rows)
    if soft:
        label = rng.dirichlet(np.ones(classes), rows)
        label[rng.random(rows) < 0.2] = np.eye(classes)[classes - 1]
    columns = {
        kind: pa.FixedSizeListArray.from_arrays(pa.array(x.ravel()), classes),
        "label": pa.FixedSizeListArray.from_arrays(pa.array(label.ravel()), classes)
        if soft
        else pa.array(label),
        "site": pa.array(rng.choice(["a", "b", "c", None], rows)),
    }
    if weighted:
        columns["w"] = rng.gamma(1.0, size=rows) * (rng.random(rows) < 0.9) + 1e-3
    return pa.table(columns)


def states_of(parts, data, weighted):
    columns = find_columns(
        readers.open_table(data),
        label="label",
        weight="w" if weighted else None,
        slices=["site"],
    )
    names = classes_of(parts[0], columns)
    labels = Labels(names, columns)
    for part in parts:
        state = State(
            len(names),
            weighted=weighted,
            soft=columns.labels == "soft",
            slices=("site",),
            floor=0.01,
            top=3,
        )
        batch = to_batch(part, columns, labels)
        state.update(batch, figures(batch, columns))
        yield state, names


def parts_at(data, cuts):
    batch = data.combine_chunks().to_batches()[0]
    for start, stop in itertools.pairwise([0, *cuts, batch.num_rows]):
        yield Part(batch.slice(start, stop - start), "table", start, start)


@pytest.fixture
def small_sample(monkeypatch):
    """A sample smaller than the table, so that a split could change what is sampled."""
    monkeypatch.setattr(sample, "SAMPLE_ROWS", 16)


@pytest.mark.usefixtures("small_sample")
@settings(max_examples=60)
@given(
    data=st.data(),
    kind=st.sampled_from(["logits", "probs"]),
    soft=st.booleans(),
    weighted=st.booleans(),
    rows=st.integers(2, 70),
    classes=st.integers(2, 5),
    seed=st.integers(0, 1000),
)
def test_any_split_and_any_order_of_merging(data, kind, soft, weighted, rows, classes, seed):
    whole = table(kind, soft, weighted, rows, classes, seed)
    cuts = sorted(data.draw(st.sets(st.integers(1, rows - 1), max_size=6)))
    split = list(states_of(list(parts_at(whole, cuts)), whole, weighted))
    order = data.draw(st.permutations(range(len(split))))
    one, names = next(states_of(list(parts_at(whole, [])), whole, weighted))
    merged = split[order[0]][0]
    for i in order[1:]:
        merged.merge(split[i][0])
    same = {"kind": kind, "unit": "bit", "source": Source(("table",))}
    same |= {"folds": 3, "bootstrap": 20, "seed": seed}
    assert summarise(merged, names, **same).to_json() == summarise(one, names, **same).to_json()


@pytest.mark.usefixtures("small_sample")
@pytest.mark.parametrize("kind", ["logits", "probs"])
def test_files_row_groups_batches_and_threads(kind, tmp_path, monkeypatch):
    whole = table(kind, False, True, 300, 4, 1)
    one = tmp_path / "one.parquet"
    pq.write_table(whole, one, row_group_size=7)
    for i, (start, stop) in enumerate([(0, 120), (120, 121), (121, 300)]):
        (tmp_path / "many").mkdir(exist_ok=True)
        pq.write_table(whole.slice(start, stop - start), tmp_path / "many" / f"{i}.parquet")

    def figures_of(source):
        text = score(source, weight="w", slices=["site"]).to_json()
        return text[text.index('"kind"') :]

    reference = figures_of(whole)
    assert figures_of(one) == reference
    assert figures_of(tmp_path / "many") == reference
    monkeypatch.setattr(local, "default_threads", lambda: 5)
    monkeypatch.setattr(readers, "BATCH_ROWS", 11)
    assert figures_of(tmp_path / "many") == reference


def test_a_split_could_change_a_plain_mean():
    """The test above can fail: float sums do depend on the split."""
    x = table("logits", False, True, 300, 4, 1)["w"].to_numpy()
    assert np.sum(x) != sum(float(v) for v in x)


def test_states_share_a_bounded_memory(monkeypatch):
    """Threads beyond the states that fit take turns, and the bits are the same."""
    assert 2 * State(1000, weighted=True).most_bytes() > local.STATE_BYTES
    made = []

    class Counted(State):
        def __init__(self, *arguments, **options):
            super().__init__(*arguments, **options)
            made.append(self)

    monkeypatch.setattr(job, "State", Counted)
    monkeypatch.setattr(local, "default_threads", lambda: 16)
    monkeypatch.setattr(readers, "BATCH_ROWS", 11)
    data = table("probs", False, True, 300, 4, 1)
    many = score(data, weight="w", slices=["site"]).to_json()
    assert len(made) == 16
    made.clear()
    monkeypatch.setattr(local, "STATE_BYTES", 1)
    assert score(data, weight="w", slices=["site"]).to_json() == many
    assert len(made) == 1
