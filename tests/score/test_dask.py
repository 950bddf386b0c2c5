"""The same bits from a cluster of processes: whatever the partitions, whichever worker dies."""

import contextlib
import os
import pickle
import signal
import socket
import subprocess
import sys
import time
import zipfile

import dask
import fsspec
import numpy as np
import psutil
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from distributed import Client, LocalCluster
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from pyarrow import csv, feather

import plogq
from plogq.score import TableError, score
from plogq.score.job import Job
from plogq.score.workers import cluster as clusters
from plogq.score.workers import dask as engine
from plogq.tables.columns import find_columns
from plogq.tables.labels import Labels
from plogq.tables.partitions import Pieces, plan
from plogq.tables.readers import open_table


@pytest.fixture(scope="module")
def cluster():
    with LocalCluster(
        n_workers=2,
        threads_per_worker=1,
        host="127.0.0.1",
        dashboard_address="127.0.0.1:0",
        silence_logs=50,
    ) as two:
        yield two


def table(rows, classes, seed, *, soft=False):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(rows, classes)) * 3
    x[rng.random((rows, classes)) < 0.05] = -np.inf
    x[:, 0] = 0
    label = rng.integers(0, classes, rows)
    columns = {
        "logits": pa.FixedSizeListArray.from_arrays(pa.array(x.ravel()), classes),
        "label": pa.array(label),
        "w": rng.gamma(1.0, size=rows) + 1e-3,
        "site": pa.array(rng.choice(["a", "b", "null", None], rows)),
        "name": pa.array([f"n{i}" for i in range(rows)]),
    }
    if soft:
        p = rng.dirichlet(np.ones(classes), rows)
        columns["label"] = pa.FixedSizeListArray.from_arrays(pa.array(p.ravel()), classes)
    return pa.table(columns)


def write(folder, whole, cuts, group):
    """Write the rows between the cuts into a file each, in row groups of at most `group` rows."""
    for i, (start, stop) in enumerate(zip([0, *cuts], [*cuts, len(whole)], strict=True)):
        part = whole.slice(start, stop - start)
        pq.write_table(part, folder / f"{i:03}.parquet", row_group_size=group)
    return folder


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    data=st.data(),
    rows=st.integers(1, 90),
    classes=st.integers(2, 5),
    soft=st.booleans(),
    weight=st.sampled_from([None, "w"]),
    group=st.sampled_from([None, "site"]),
    seed=st.integers(0, 1000),
)
def test_any_partitions(
    data, rows, classes, soft, weight, group, seed, cluster, tmp_path_factory, monkeypatch
):
    whole = table(rows, classes, seed, soft=soft)
    cuts = sorted(data.draw(st.lists(st.integers(0, rows), max_size=4)))  # some files are empty
    folder = write(tmp_path_factory.mktemp("t"), whole, cuts, data.draw(st.integers(1, 40)))
    runs = data.draw(st.integers(1, 60))
    monkeypatch.setattr(engine, "most_runs", lambda *_: runs)
    monkeypatch.setattr(engine, "MERGED_AT_ONCE", data.draw(st.integers(2, 5)))
    options = {"weight": weight, "group": group, "slices": ["site"], "id": "name", "top": 3}
    options |= {"floor": 0.01, "seed": seed, "bootstrap": 40}
    on_cluster = {"engine": "dask", "scheduler": cluster.scheduler_address}
    assert score(folder, **options, **on_cluster).to_json() == score(folder, **options).to_json()


def save_npz(whole, path):
    x = whole["logits"].combine_chunks().flatten().to_numpy().reshape(len(whole), -1)
    np.savez(path, logits=x, label=whole["label"].to_numpy(), w=whole["w"].to_numpy())


def wide(whole):
    x = whole["logits"].combine_chunks().flatten().to_numpy().reshape(len(whole), -1)
    columns = {f"logit_{j}": np.maximum(x[:, j], -9) for j in range(x.shape[1])}
    return pa.table(columns | {"label": whole["label"], "w": whole["w"]})


def save_arrow(new):
    def save(whole, path):
        with new(path, whole.schema) as writer:
            writer.write_table(whole, max_chunksize=7)

    return save


@pytest.mark.parametrize("files", [1, 3])
@pytest.mark.parametrize(
    ("end", "save"),
    [
        ("parquet", lambda whole, path: pq.write_table(whole, path, row_group_size=9)),
        ("csv", lambda whole, path: csv.write_csv(wide(whole), path)),
        ("arrow", save_arrow(pa.ipc.new_file)),
        ("arrow", save_arrow(pa.ipc.new_stream)),
        ("feather", feather.write_feather),
        ("npz", save_npz),
    ],
)
def test_every_format(end, save, files, cluster, tmp_path, monkeypatch):
    whole = table(100, 3, 0)
    for i in range(files):
        save(whole.slice(30 * i, 30 if i < files - 1 else None), tmp_path / f"{i}.{end}")
    monkeypatch.chdir(tmp_path)  # where the workers are not
    for source in (tmp_path, ".") if files > 1 else (tmp_path / f"0.{end}", f"0.{end}"):
        there = score(source, weight="w", engine="dask", scheduler=cluster.scheduler_address)
        assert there.to_json() == score(source, weight="w").to_json()


@pytest.mark.parametrize("uri", ["zip://t.parquet::{}/t.zip", "simplecache::file://{}/t.parquet"])
def test_a_filesystem_of_fsspec(uri, cluster, tmp_path):
    pq.write_table(table(100, 3, 0), tmp_path / "t.parquet", row_group_size=20)
    with zipfile.ZipFile(tmp_path / "t.zip", "w") as packed:
        packed.write(tmp_path / "t.parquet", "t.parquet")
    there = score(uri.format(tmp_path), engine="dask", scheduler=cluster.scheduler_address)
    assert there.to_json() == score(uri.format(tmp_path)).to_json()


@pytest.mark.parametrize("classes", [3, 1000])
def test_a_state_travels_light_and_whole(classes):
    columns = find_columns(
        open_table(table(50, classes, 0)), label="label", weight="w", slices=["site"], id="name",
    )  # fmt: skip
    parts = open_table(table(50, classes, 0)).parts(columns.read(), columns.types())
    job = Job(columns, Labels(tuple(map(str, range(classes))), columns), 0.01, 3, 0)
    state, twice = job.new_state(), job.new_state()
    for part in parts:
        for each in (state, twice, twice):
            each.update(*job.figures(part))
    for protocol in (5, None):
        data = pickle.dumps(state, protocol)
        assert len(data) < state.most_bytes() / 20
        there = pickle.loads(data)
        assert there.most_bytes() == state.most_bytes()
        both = job.new_state()
        both.merge(there)
        both.merge(there)
        assert both.rows() == 100
        for name in ("cells", "cell_impossible", "bins"):
            np.testing.assert_array_equal(getattr(both, name).rows, getattr(twice, name).rows)
        np.testing.assert_array_equal(both.cell_loss.limbs, twice.cell_loss.limbs)


class Counted:
    """A file of which only the rows of its pieces matter."""

    system = None
    path = "t"
    text = None


@given(
    files=st.lists(st.lists(st.integers(0, 50), max_size=12), min_size=1, max_size=6),
    runs=st.integers(1, 20),
    last=st.booleans(),
)
@example(files=[[]], runs=1, last=False)
def test_a_plan_has_every_row_once_and_in_order(files, runs, last):
    counted = [Pieces(Counted(), rows) for rows in files]
    planned = plan(counted + [Pieces(Counted(), None)] * last, runs)
    assert len(planned) <= runs + last
    total = start = 0
    seen = []
    for run in planned:
        assert run
        for partition in run:
            assert partition.start == start
            if partition.pieces is None:
                continue
            pieces = [
                (id(file), i) for file, each in counted if len(each) for i in partition.pieces
            ]
            assert pieces
            seen.append((partition.row, partition.rows))
            start += partition.rows
    total = sum(map(sum, files))
    assert start == total
    assert sum(n for _, n in seen) == total
    # About equal: no run has more than its share and a piece.
    most = max((n for rows in files for n in rows), default=0)
    for run in planned[: len(planned) - last]:
        assert sum(partition.rows for partition in run) <= total / runs + most


def test_runs_are_few_enough_to_merge_and_enough_to_lose_one():
    state = 10_000_000  # bytes
    assert engine.most_runs(1000, 2, state) == 2  # a small table: one for each worker
    assert engine.most_runs(20 * state, 2, state) == 5
    assert engine.most_runs(100 * state, 2, state) == 16
    assert engine.most_runs(10**12, 2, state) == -(-(10**12) // 2**28)  # a few seconds each


def test_a_killed_worker_costs_no_bit(tmp_path, monkeypatch):
    folder = write(tmp_path, table(2000, 4, 0), range(100, 2000, 100), 50)
    expected = score(folder, weight="w", slices=["site"]).to_json()
    killed = []
    monkeypatch.setattr(engine, "most_runs", lambda *_: 40)
    with (
        LocalCluster(
            n_workers=2,
            threads_per_worker=1,
            host="127.0.0.1",
            dashboard_address="127.0.0.1:0",
            silence_logs=50,
        ) as own,
        Client(own, set_as_default=False) as client,
    ):
        pids = client.run(os.getpid)

        def kill_one(done, total):
            assert total == 2000
            if not killed and done >= 200:  # states of some runs are on it
                pid = next(iter(pids.values()))
                os.kill(pid, signal.SIGKILL)
                killed.append((pid, done))

        found = score(
            folder,
            weight="w",
            slices=["site"],
            engine="dask",
            scheduler=own.scheduler_address,
            progress=kill_one,
        )
        [(pid, done)] = killed
        assert done < 2000
        assert pid not in client.run(os.getpid).values()
    assert found.to_json() == expected


def test_a_scheduler_that_goes_away(tmp_path, monkeypatch):
    folder = write(tmp_path, table(2000, 4, 0), range(100, 2000, 100), 50)
    monkeypatch.setattr(engine, "most_runs", lambda *_: 40)
    monkeypatch.setattr(clusters, "SECONDS_TO_CONNECT", 1)
    with LocalCluster(
        n_workers=1,
        threads_per_worker=1,
        host="127.0.0.1",
        dashboard_address="127.0.0.1:0",
        silence_logs=50,
    ) as own:

        def close(done, total):
            own.close()

        with pytest.raises(ConnectionError, match="the connection to the scheduler was lost"):
            score(folder, engine="dask", scheduler=own.scheduler_address, progress=close)


def test_workers_that_die_again_and_again(tmp_path, monkeypatch):
    """Of a table that takes more memory than they have, say."""
    folder = write(tmp_path, table(100, 4, 0), [50], 50)
    with (
        dask.config.set({"distributed.scheduler.allowed-failures": 0}),
        LocalCluster(
            n_workers=2,
            threads_per_worker=1,
            host="127.0.0.1",
            dashboard_address="127.0.0.1:0",
            silence_logs=50,
        ) as own,
    ):
        monkeypatch.setattr(engine, "_sum_run", die)
        with pytest.raises(ConnectionError, match=r"^1 workers? died .* out of memory\?$"):
            score(folder, engine="dask", scheduler=own.scheduler_address)


def die(job, run):
    """End the worker: this goes there by value, for workers know no tests."""
    os.kill(os.getpid(), signal.SIGKILL)


def test_of_several_bad_rows_the_first_is_named(cluster, tmp_path):
    whole = table(200, 3, 0)
    label = whole["label"].to_numpy().copy()
    label[[77, 120, 199]] = 3
    whole = whole.set_column(1, "label", pa.array(label))
    folder = write(tmp_path, whole, [60, 110], 10)
    said = f"{folder}/001.parquet: column 'label' must be a class index in [0, 3)"
    for options in ({}, {"engine": "dask", "scheduler": cluster.scheduler_address}):
        with pytest.raises(TableError, match=r"row 17") as error:
            score(folder, **options)
        assert str(error.value).startswith(said)


def test_a_file_that_the_workers_do_not_see(cluster):
    with fsspec.open("memory://t.parquet", "wb") as file:
        pq.write_table(table(10, 3, 0), file)
    assert score("memory://t.parquet").rows == 10
    with pytest.raises(TableError) as error:
        score("memory://t.parquet", engine="dask", scheduler=cluster.scheduler_address)
    assert "/t.parquet: no such file or folder, on worker tcp://" in str(error.value)
    assert "every worker must reach the table by the same path" in str(error.value)


def test_a_file_that_is_replaced_meanwhile(tmp_path):
    path = tmp_path / "t.parquet"
    pq.write_table(table(10, 3, 0), path)
    [[partition]] = plan([Pieces(open_table(path).readers[0], [10])], 1)
    assert sum(part.batch.num_rows for part in partition.parts(["label"], {})) == 10
    pq.write_table(table(9, 3, 0), path)
    with pytest.raises(TableError, match="must hold 10 rows from row 0 on, as when it was opened"):
        list(partition.parts(["label"], {}))


def test_a_table_in_memory_stays_where_it_is(cluster):
    with pytest.raises(TableError, match="cannot go to other processes: write it to Parquet"):
        score(table(10, 3, 0), engine="dask", scheduler=cluster.scheduler_address)


def test_no_rows(cluster, tmp_path):
    pq.write_table(table(10, 3, 0).slice(0, 0), tmp_path / "t.parquet")
    with pytest.raises(TableError, match="no rows"):
        score(tmp_path, engine="dask", scheduler=cluster.scheduler_address)


def test_too_many_slices(cluster, tmp_path, monkeypatch):
    """An error of a merge, not of a fold."""
    whole = table(1200, 2, 0)
    write(tmp_path, whole, range(100, 1200, 100), 100)
    with pytest.raises(TableError, match=r"column 'name' has more than 1,000 different values"):
        score(tmp_path, slices=["name"], engine="dask", scheduler=cluster.scheduler_address)


def test_another_version_of_plogq(cluster, tmp_path, monkeypatch):
    pq.write_table(table(10, 3, 0), tmp_path / "t.parquet")
    monkeypatch.setattr(plogq, "__version__", "9.9")
    with pytest.raises(TableError, match=r"worker tcp://.* has plogq 0.* all need the 9\.9 of"):
        score(tmp_path, engine="dask", scheduler=cluster.scheduler_address)


def test_no_scheduler(tmp_path, monkeypatch):
    pq.write_table(table(10, 3, 0), tmp_path / "t.parquet")
    monkeypatch.setattr(clusters, "SECONDS_TO_CONNECT", 0.5)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"tcp://127.0.0.1:{free.getsockname()[1]}"
    for wrong in (address, "nonsense"):
        with pytest.raises(ConnectionError, match=f"{wrong}: no answer .* tcp://host:port"):
            score(tmp_path, engine="dask", scheduler=wrong)


@pytest.mark.parametrize("wrong", ["nonsense", "tcp://10.0.0.1", "smoke://h:1", ""])
def test_what_is_no_address_is_one_line(wrong, tmp_path):
    """Also when the process ends: a client that could not be opened complains of it then."""
    pq.write_table(table(10, 3, 0), tmp_path / "t.parquet")
    command = [sys.executable, "-c", "from plogq.cli import main; main()", "score"]
    done = subprocess.run(
        [*command, tmp_path / "t.parquet", "--engine", "dask", "--scheduler", wrong],
        capture_output=True, text=True, timeout=50, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"plogq: {wrong}: no answer (")
    assert done.stderr.endswith("): give the address of a Dask scheduler, tcp://host:port\n")
    assert done.stderr.count("\n") == 1


def test_no_workers(tmp_path, monkeypatch):
    pq.write_table(table(10, 3, 0), tmp_path / "t.parquet")
    monkeypatch.setattr(clusters, "SECONDS_TO_CONNECT", 1)
    with (
        LocalCluster(n_workers=0, host="127.0.0.1", dashboard_address="127.0.0.1:0") as empty,
        pytest.raises(ConnectionError, match="the scheduler has no workers"),
    ):
        score(tmp_path, engine="dask", scheduler=empty.scheduler_address)


@pytest.mark.parametrize(
    "options", [{"engine": "spark"}, {"scheduler": "tcp://h:1"}, {"engine": None}]
)
def test_options_that_do_not_go_together(options):
    with pytest.raises(ValueError, match=r"^(engine|scheduler) must"):
        score("t.parquet", **options)


def test_a_cluster_of_our_own_is_ours_alone():
    """Nothing of it listens beyond this machine, and nothing of it is left."""
    before = psutil.Process().children(recursive=True)
    environment = dict(os.environ)
    with clusters.own_workers(2):
        family = {psutil.Process(), *psutil.Process().children(recursive=True)} - {*before}
        listening = {
            c.laddr.ip
            for process in family
            for c in process.net_connections(kind="inet")
            if c.status == psutil.CONN_LISTEN
        }
        assert len(family) > 2
    assert os.environ == environment
    assert listening == {"127.0.0.1"}
    left = family & {*psutil.Process().children(recursive=True)}
    assert not [p for p in left if "resource_tracker" not in " ".join(p.cmdline())]


SLOW = """
import os, time
from plogq.cli import main
from plogq.score.job import Job

figures = Job.figures

def slowly(job, part):
    os.write(2, b"started\\n")
    time.sleep({})
    return figures(job, part)

Job.figures = slowly  # in the workers too: they import this file

if __name__ == "__main__":
    main()
"""


def start(tmp_path, seconds, *arguments, engine="dask"):
    script = tmp_path / "slow.py"
    script.write_text(SLOW.format(seconds))
    folder = tmp_path / "table"
    if not folder.exists():
        folder.mkdir()
        write(folder, table(400, 3, 0), range(10, 400, 10), 10)
    (tmp_path / "scratch").mkdir(exist_ok=True)
    command = [sys.executable, script, "score", folder, "--engine", engine, *arguments]
    return subprocess.Popen(
        list(map(str, command)),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,  # as a terminal has it: Ctrl-C goes to every process in it
        env=os.environ | {"TMPDIR": str(tmp_path / "scratch")},
    )


def gone(group):
    """Wait for the end of all processes of a group; the last ones may be about to end."""
    for _ in range(600):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(group, 0)
            time.sleep(0.05)
            continue
        return True
    return False


@pytest.mark.parametrize("everyone", [True, False])
def test_ctrl_c_leaves_no_worker_and_no_file(everyone, tmp_path):
    process = start(tmp_path, 0.5, "--json", tmp_path / "out.json")
    assert process.stderr.readline() == "started\n"
    (os.killpg if everyone else os.kill)(process.pid, signal.SIGINT)
    printed, said = process.communicate(timeout=60)
    assert process.returncode == 130
    assert printed == ""
    assert said.replace("started", "").split() == []
    assert gone(process.pid)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["scratch", "slow.py", "table"]
    assert list((tmp_path / "scratch").iterdir()) == []


def test_ctrl_c_while_the_workers_start(tmp_path):
    process = start(tmp_path, 0.5)
    while len(psutil.Process(process.pid).children()) < 2:
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGINT)
    printed, said = process.communicate(timeout=60)
    assert (process.returncode, printed) == (130, "")
    assert said.replace("started", "").split() == []
    assert gone(process.pid)
    assert list((tmp_path / "scratch").iterdir()) == []


def test_workers_end_with_a_killed_client(tmp_path):
    process = start(tmp_path, 0.5)
    assert process.stderr.readline() == "started\n"
    process.kill()
    process.communicate(timeout=60)
    assert gone(process.pid)


def test_the_command_line_is_quiet_and_has_one_line_for_an_error(tmp_path):
    process = start(tmp_path, 0, "--json", "-")
    printed, said = process.communicate(timeout=60)
    assert (process.returncode, said.replace("started\n", "")) == (0, "")
    local, _ = start(tmp_path, 0, "--json", "-", engine="local").communicate(timeout=60)
    assert printed == local
    assert gone(process.pid)
    path = tmp_path / "table" / "020.parquet"
    pq.write_table(
        pq.read_table(path).set_column(1, "label", pa.array([0, 1, 2, 3] + 6 * [0])), path
    )
    process = start(tmp_path, 0)
    printed, said = process.communicate(timeout=60)
    assert (process.returncode, printed) == (1, "")
    assert said.replace("started\n", "").startswith(
        f"plogq: {path}: column 'label' must be a class"
    )
    assert said.replace("started\n", "").count("\n") == 1
    assert gone(process.pid)
