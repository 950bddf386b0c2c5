"""Tables of predictions in every format, damaged: refused, or the costs that a plain reader says.

The plain readers are Python's `csv` and `json`, NumPy's `load` and Arrow's own, with no look at how
a file may be meant. Where a plain reader cannot read what plogq reads (another delimiter, a percent
sign, a number as text), the cost is "unchecked".
"""

import csv
import io
import json
import math
import random
import re
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from plogq.errors import TableError
from plogq.score import score
from plogq.tables.formats.text_options import text_options
from plogq.tables.predictions import Predictions
from plogq.tables.row_figures import figures
from plogq.tables.two_arrays import open_columns
from tests.fuzz.damage import damaged_bytes, damaged_json, damaged_rows
from tests.fuzz.judge import Wrong, check_refusal, nats_of, same
from tests.tables.written import PACKERS

ARRAYS = dict.fromkeys(("logits", "logprobs", "probs", "weight", "group", "id"))
OPTIONS: dict[str, Any] = {
    "labels": None, "on": None, "label": None, "exclude": (), "classes": None, "chosen": None,
    "ignore": (), "normalise": False, "annotators": False, "slices": (),
}  # fmt: skip
PREFIX = {"prob_": "probs", "logit_": "logits", "logprob_": "logprobs"}
NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?")
SCORED_IN_FULL = 40  # every so manieth, since that takes ten times as long

Cost = tuple[int, list[list[float]]]  # rows, and for each what it may cost

ROWS = 7
CLASSES = "abc"


def predictions(rng: random.Random, kind: str) -> list[list[float]]:
    """Give rows of predictions of one kind, as short numbers."""
    rows = []
    for _ in range(ROWS):
        if kind == "logits":
            rows.append([round(rng.gauss(0, 3), 3) for _ in CLASSES])
            continue
        cuts = sorted(rng.randrange(1, 1024) for _ in CLASSES[1:])
        p = [(b - a) / 1024 for a, b in zip([0, *cuts], [*cuts, 1024], strict=True)]
        rows.append(p if kind == "probs" else [math.log(x) if x else -math.inf for x in p])
    return rows


def cost(path: Path) -> Cost:
    """Give the rows that plogq reads, and what each costs."""
    table, columns = open_columns(str(path), None, ARRAYS, text_options(None, None, None, None),
                                  **OPTIONS)  # fmt: skip
    opened = Predictions(table, columns)
    costs: list[list[float]] = []
    with np.errstate(all="ignore"):
        for batch in opened.batches():
            found = figures(batch, opened.columns).surprisal
            costs += [[float(x)] for x in found]
    return len(costs), costs


def judge(path: Path, plain: Callable[[Path], Cost | str], *, in_full: bool) -> str:
    """Give what came of a file."""
    try:
        rows, costs = cost(path)
        if in_full:
            whole = score(path, bootstrap=0, unit="nat")
            whole.to_json().encode()
            mean = math.fsum(each[0] for each in costs) / rows
            if whole.rows != rows or not same(whole.cross_entropy, mean):
                raise Wrong(f"score: {whole.cross_entropy} of {whole.rows}, its rows: {mean}")
    except TableError as error:
        return check_refusal(error)
    if any(math.isnan(each[0]) or each[0] < -1e-9 for each in costs):
        raise Wrong(f"a cost is no cost: {costs}")
    expected = plain(path)
    if isinstance(expected, str):
        return f"unchecked: {expected}"
    if rows != expected[0]:
        raise Wrong(f"{rows} rows, where a plain reader has {expected[0]}")
    for i, ([ours], theirs) in enumerate(zip(costs, expected[1], strict=True)):
        if not any(same(ours, each) for each in theirs):
            raise Wrong(f"row {i} costs {ours}, a plain reader says {theirs}")
    return "right"


# Plain readers


def costs_of(kind: str, rows: list[list[float]], labels: list[int]) -> Cost | str:
    """Give what rows cost by the plainest formula."""
    found = []
    for row, label in zip(rows, labels, strict=True):
        nats = nats_of(kind, row, label)
        if nats is None:
            return "a row is no prediction"
        found.append(nats)
    return len(found), found


def plain_cells(rows: list[list[str]], decimal: str = ".") -> Cost | str:
    """Read a table of cells: the columns by their names, the labels by the names of the classes."""
    rows = [[cell.strip() for cell in row] for row in rows if row]
    if not rows:
        return "no rows"
    names = rows[0]
    if len(set(names)) < len(names):
        return "a name stands twice"
    if "label" not in names or any(len(row) != len(names) for row in rows):
        return "rows of several lengths"
    kinds = {p for p in PREFIX for name in names if name.startswith(p)}
    if len(kinds) != 1:
        return "several kinds of predictions"
    [prefix] = kinds
    at = {n.removeprefix(prefix): i for i, n in enumerate(names) if n.startswith(prefix)}
    numbers, labels = [], []
    for row in rows[1:]:
        label = row[names.index("label")]
        cells = [row[i].replace(decimal, ".") if decimal != "." else row[i] for i in at.values()]
        if label not in at:
            return "a label is no class's name"
        if not all(NUMBER.fullmatch(cell) for cell in cells):
            return "a number is not plain"
        numbers.append([float(cell) for cell in cells])
        labels.append(list(at).index(label))
    return costs_of(PREFIX[prefix], numbers, labels)


def plain_records(records: Any) -> Cost | str:
    """Read rows that are Python's own: {"label": class, "probs": [...]}, or columns by class."""
    if not isinstance(records, list) or not all(isinstance(each, dict) for each in records):
        return "not records"
    rows, labels, kinds = [], [], set()
    for record in records:
        kind = [k for k in ("probs", "logits", "logprobs") if k in record]
        if len(kind) != 1 or "label" not in record:
            return "other columns"
        row, label = record[kind[0]], record["label"]
        if not isinstance(row, list) or not all(type(x) in (int, float) for x in row):
            return "no list of numbers"
        if type(label) is float and label.is_integer():
            label = int(label)
        if type(label) is not int or not 0 <= label < len(row):
            return "no label that counts classes"
        kinds.add(kind[0])
        try:
            rows.append([float(x) for x in row])
        except OverflowError:
            return "a number is beyond float64"
        labels.append(label)
    if len(kinds) != 1 or len({len(row) for row in rows}) != 1:
        return "rows of several lengths"
    return costs_of(kinds.pop(), rows, labels)


def plain_table(table: pa.Table) -> Cost | str:
    rows = [list(row) for row in zip(*(c.to_pylist() for c in table.columns), strict=True)]
    return plain_records([dict(zip(table.column_names, row, strict=True)) for row in rows])


def unpacked(path: Path) -> bytes:
    import bz2
    import gzip
    import lzma
    import zipfile

    data = path.read_bytes()
    if path.suffix == ".zip":
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return archive.read(archive.namelist()[0])
    openers = {".gz": gzip.decompress, ".bz2": bz2.decompress, ".xz": lzma.decompress}
    return openers.get(path.suffix, bytes)(data)


def plain_csv(delimiter: str, decimal: str) -> Callable[[Path], Cost | str]:
    def read(path: Path) -> Cost | str:
        try:
            text = unpacked(path).decode("utf-8-sig")
            rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True))
        except (ValueError, csv.Error, OSError, EOFError) as error:
            return f"{type(error).__name__} of a plain reader"
        return plain_cells(rows, decimal)

    return read


def plain_arff(path: Path) -> Cost | str:
    try:
        lines = [line.strip() for line in path.read_bytes().decode().splitlines()]
    except ValueError:
        return "UnicodeDecodeError of a plain reader"
    lines = [line for line in lines if line and not line.startswith("%")]
    if any("'" in line or '"' in line or "?" in line for line in lines):
        return "quotes"
    starts = [i for i, line in enumerate(lines) if line.lower() == "@data"]
    if len(starts) != 1:
        return "not one @data"
    names = [line.split()[1] for line in lines[: starts[0]]
             if line.lower().startswith("@attribute") and len(line.split()) > 1]  # fmt: skip
    return plain_cells([names, *(line.split(",") for line in lines[starts[0] + 1 :])])


def plain_json(path: Path) -> Cost | str:
    try:
        text = path.read_bytes().decode()
        return plain_records(
            [json.loads(line) for line in text.splitlines() if line.strip()]
            if path.suffix == ".jsonl"
            else json.loads(text)
        )
    except (ValueError, RecursionError) as error:
        return f"{type(error).__name__} of a plain reader"


def plain_arrow(path: Path) -> Cost | str:
    try:
        data = path.read_bytes()
        if path.suffix == ".parquet":
            return plain_table(pq.read_table(io.BytesIO(data), page_checksum_verification=True))
        is_file = data.startswith(b"ARROW1")
        reader = (pa.ipc.open_file if is_file else pa.ipc.open_stream)(io.BytesIO(data))
        return plain_table(reader.read_all())
    except (pa.ArrowException, OSError, ValueError, TypeError) as error:
        return f"{type(error).__name__} of a plain reader"


def plain_npz(path: Path) -> Cost | str:
    try:
        with warnings.catch_warnings(), np.load(path, allow_pickle=False) as arrays:
            warnings.simplefilter("ignore")
            found = {name: arrays[name] for name in arrays.files}
    except Exception as error:  # NumPy raises whatever the archive makes of it
        return f"{type(error).__name__} of a plain reader"
    if "labels" not in found or len({array.shape[:1] for array in found.values()}) != 1:
        return "other arrays"
    if found["labels"].ndim != 1:
        return "other arrays"
    rows = range(len(found["labels"]))
    names = {"labels": "label"}
    return plain_records([{names.get(k, k): v[i].tolist() for k, v in found.items()} for i in rows])


# Inputs


def text_table(ending: str, delimiter: str = ",", decimal: str = ".", packed: str = "") -> Any:
    plain = plain_csv(delimiter, decimal)

    def one(rng: random.Random, folder: Path) -> str:
        prefix = rng.choice(list(PREFIX))
        values = predictions(rng, PREFIX[prefix])
        rows = [["id", "label", *(prefix + c for c in CLASSES)]]
        rows += [[str(i), rng.choice(CLASSES), *(repr(x).replace(".", decimal) for x in row)]
                 for i, row in enumerate(values)]  # fmt: skip
        if rng.random() < 0.6:
            rows = damaged_rows(rng, rows)
        end = rng.choice(("\n", "\n", "\r\n"))
        file = io.StringIO(newline="")
        csv.writer(file, delimiter=delimiter, lineterminator=end).writerows(rows)
        data = file.getvalue().encode(errors="surrogatepass")
        if data and (rng.random() < 0.4 or packed):
            data = damaged_bytes(rng, data, [data])
        if packed:
            data = PACKERS[packed](data)
            if rng.random() < 0.5:
                data = damaged_bytes(rng, data, [data])
        path = folder / f"x{ending}{packed}"
        path.write_bytes(data)
        return judge(path, plain, in_full=rng.randrange(SCORED_IN_FULL) == 0)

    return one


def arff(rng: random.Random, folder: Path) -> str:
    values = predictions(rng, "probs")
    head = ["@relation r", "@attribute id numeric", "@attribute label {a,b,c}"]
    head += [f"@attribute prob_{c} numeric" for c in CLASSES]
    rows = [[str(i), rng.choice(CLASSES), *map(repr, row)] for i, row in enumerate(values)]
    if rng.random() < 0.6:
        rows = damaged_rows(rng, rows)
    lines = [*head, "@data", *(",".join(row) for row in rows)]
    if rng.random() < 0.1:
        del lines[rng.randrange(len(lines))]
    data = "\n".join(lines).encode(errors="surrogatepass") + b"\n"
    if rng.random() < 0.4:
        data = damaged_bytes(rng, data, [data])
    path = folder / "x.arff"
    path.write_bytes(data)
    return judge(path, plain_arff, in_full=rng.randrange(SCORED_IN_FULL) == 0)


def json_table(ending: str) -> Any:
    def one(rng: random.Random, folder: Path) -> str:
        kind = rng.choice(("probs", "logits", "logprobs"))
        rows = predictions(rng, kind)
        records: Any = [{"label": rng.randrange(len(CLASSES)), kind: row} for row in rows]
        if rng.random() < 0.7:
            records = damaged_json(rng, records)
        dumps = json.dumps
        if ending == ".jsonl" and isinstance(records, list):
            text = "".join(dumps(record) + "\n" for record in records)
        else:
            text = dumps(records)
        data = text.encode()
        if data and rng.random() < 0.4:
            data = damaged_bytes(rng, data, [data])
        path = folder / f"x{ending}"
        path.write_bytes(data)
        return judge(path, plain_json, in_full=rng.randrange(SCORED_IN_FULL) == 0)

    return one


def arrow_table(rng: random.Random) -> pa.Table:
    kind = rng.choice(("probs", "logits", "logprobs"))
    number = rng.choice((pa.float64(), pa.float32(), pa.float64()))
    size = rng.choice((-1, len(CLASSES)))
    labels = pa.array([rng.randrange(len(CLASSES)) for _ in range(ROWS)],
                      rng.choice((pa.int64(), pa.int8(), pa.uint16())))  # fmt: skip
    if kind == "logprobs":
        number = pa.float64()
    rows = pa.array(predictions(rng, kind), pa.list_(number, size))
    return pa.table({"label": labels, kind: rows})


def parquet(rng: random.Random, folder: Path) -> str:
    file = io.BytesIO()
    checked = rng.random() < 0.5
    pq.write_table(
        arrow_table(rng),
        file,
        compression=rng.choice(("none", "snappy", "zstd", "gzip")),
        write_page_checksum=checked,
        data_page_version=rng.choice(("1.0", "2.0")),
        use_dictionary=rng.random() < 0.5,
        row_group_size=rng.choice((3, 100)),
    )
    data = damaged_bytes(rng, file.getvalue(), [file.getvalue()])
    path = folder / "x.parquet"
    path.write_bytes(data)
    return judge(path, plain_arrow, in_full=rng.randrange(SCORED_IN_FULL) == 0)


def arrow(rng: random.Random, folder: Path) -> str:
    file = io.BytesIO()
    table = arrow_table(rng)
    options = pa.ipc.IpcWriteOptions(compression=rng.choice((None, "lz4", "zstd")))
    opener = rng.choice((pa.ipc.new_file, pa.ipc.new_stream))
    with opener(file, table.schema, options=options) as writer:
        writer.write_table(table, max_chunksize=rng.choice((2, 100)))
    path = folder / "x.arrow"
    path.write_bytes(damaged_bytes(rng, file.getvalue(), [file.getvalue()]))
    return judge(path, plain_arrow, in_full=rng.randrange(SCORED_IN_FULL) == 0)


def npz(rng: random.Random, folder: Path) -> str:
    kind = rng.choice(("probs", "logits"))
    rows: Any = np.array(predictions(rng, kind), dtype=rng.choice(("f8", "f4", ">f8")))
    if rng.random() < 0.3:
        rows = np.asfortranarray(rows)
    labels = np.array([rng.randrange(len(CLASSES)) for _ in range(ROWS)])
    file = io.BytesIO()
    save = rng.choice((np.savez, np.savez_compressed))
    save(file, labels=labels, **{kind: rows})
    path = folder / "x.npz"
    path.write_bytes(damaged_bytes(rng, file.getvalue(), [file.getvalue()]))
    return judge(path, plain_npz, in_full=rng.randrange(SCORED_IN_FULL) == 0)


TARGETS: dict[str, Callable[[random.Random, Path], str]] = {
    "csv": text_table(".csv"),
    "tsv": text_table(".tsv", "\t"),
    "csv with decimal commas": text_table(".csv", ";", ","),
    "csv.gz": text_table(".csv", packed=".gz"),
    "csv.zip": text_table(".csv", packed=".zip"),
    "arff": arff,
    "json": json_table(".json"),
    "jsonl": json_table(".jsonl"),
    "parquet": parquet,
    "arrow": arrow,
    "npz": npz,
}
