"""Runs of row groups, each read and folded by one thread, give what one stream of batches gives."""

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from plogq.score import TableError, score
from plogq.score.workers import threads as local
from plogq.tables.readers import Part

ROWS, CLASSES = 600, 3


def table(bad=()):
    rng = np.random.default_rng(3)
    x = rng.normal(size=(ROWS, CLASSES))
    x[list(bad)] = np.nan
    y = rng.integers(0, CLASSES, ROWS)
    return pa.table({f"logit_{j}": x[:, j] for j in range(CLASSES)} | {"label": y})


@pytest.fixture(autouse=True)
def small_runs(monkeypatch):
    monkeypatch.setattr(local, "NUMBERS_PER_RUN", 60 * CLASSES)
    monkeypatch.setattr(local, "default_threads", lambda: 2)


@pytest.fixture
def streamed(monkeypatch):
    """The threads that have asked for a part of a table as a whole."""
    runs = []
    original = local.Run.parts

    def parts(self, job):
        runs.append(self)
        return original(self, job)

    monkeypatch.setattr(local.Run, "parts", parts)
    return runs


def write(folder, data, sizes):
    """Write a file for each list of row group sizes."""
    first = 0
    for i, groups in enumerate(sizes):
        with pq.ParquetWriter(folder / f"{i}.parquet", data.schema) as writer:
            for n in groups:
                writer.write_table(data.slice(first, n), row_group_size=max(1, n))
                first += n
    assert first == data.num_rows


@pytest.mark.parametrize(
    ("sizes", "runs"),
    [
        ([[60] * 10], 10),
        ([[30] * 20], 10),
        ([[1, 59, 100, 40, 100], [5] * 60], 8),
        ([[600]], 0),  # too few for two threads: streamed
        ([[150], [150], [150], [150]], 0),
    ],
)
def test_the_same_bits(tmp_path, streamed, sizes, runs):
    write(tmp_path, table(), sizes)
    seen = []
    result = score(tmp_path, progress=lambda done, rows: seen.append(done), bootstrap=40)
    assert len(streamed) == runs
    assert seen[-1] == ROWS
    want = score(table(), bootstrap=40)
    for name, value in vars(want).items():
        assert name == "source" or getattr(result, name) == value, name


@pytest.mark.parametrize("bad", [[599], [61, 59, 400], [120, 121, 599]])
def test_the_first_row_at_fault_is_reported(tmp_path, streamed, bad):
    write(tmp_path, table(bad), [[60] * 5, [60] * 5])
    file, row = divmod(min(bad), 300)
    with pytest.raises(TableError, match=rf"{file}\.parquet: column .* finite logits.*row {row}\)"):
        score(tmp_path)
    assert streamed


def test_a_file_that_is_not_like_the_first(tmp_path):
    write(tmp_path, table(), [[60] * 10])
    pq.write_table(table().drop_columns("logit_2"), tmp_path / "1.parquet")
    with pytest.raises(TableError, match=r"1\.parquet: column 'logit_2' must be double"):
        score(tmp_path)


def test_after_an_error_no_thread_goes_on(tmp_path, monkeypatch):
    write(tmp_path, table(), [[60] * 10])
    batch = table([0]).to_batches()[0]
    given = []

    def parts(self, job):
        for i in range(3000):
            given.append(self.start)
            row = 0 if self.start == 0 else 1  # only the first run has the row that is at fault
            yield Part(batch.slice(row, 1), "t", i, self.start + i)

    monkeypatch.setattr(local.Run, "parts", parts)
    with pytest.raises(TableError, match="finite logits"):
        score(tmp_path)
    assert given.count(0) == 1
    assert len(given) < 3000
