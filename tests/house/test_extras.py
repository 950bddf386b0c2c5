"""Without an extra, every command and every door says in one line what to install."""

import ast
import json
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from plogq import extras
from plogq.extras import EXTRA_OF

ROOT = Path(__file__).parents[2]
ALWAYS = {"plogq", "numpy", "array_api_compat"}
# Of no extra: densities, which are integrals, name scipy themselves; Keras loads its backend; who
# patches the model of a trainer of TRL has TRL; torch for GPUs brings Triton.
ALONE = {"scipy", "tensorflow", "triton", "trl"}

# In a fresh process, some packages are as if they were not installed.
HIDE = """
import contextlib, importlib, io, json, sys
class Hidden:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {hidden!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)
sys.meta_path.insert(0, Hidden())
"""
RUN = """
from plogq.cli import main
found = []
for words in json.loads(sys.argv[1]):
    sys.argv = ["plogq", *words]
    said = io.StringIO()
    with contextlib.redirect_stderr(said), contextlib.redirect_stdout(io.StringIO()):
        try:
            main()
            status = 0
        except SystemExit as end:
            status = end.code or 0
    found.append([status, said.getvalue()])
print(json.dumps(found))
"""
TRY = """
found = []
for line in json.loads(sys.argv[1]):
    try:
        exec(line)
        found.append(None)
    except ModuleNotFoundError as error:
        found.append([str(error), error.name])
print(json.dumps(found))
"""


def without(hidden, program, what):
    """Run a program that prints JSON, with packages hidden."""
    command = [sys.executable, "-c", HIDE.format(hidden=sorted(hidden)) + program, json.dumps(what)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    return json.loads(done.stdout)


TABLES = ["score t.csv", "compare t.csv t.csv", "lm tokens.csv"]
CODED = ["code t.csv --label label", "score t.csv --code"]
SHOWN = ["explore t.csv", "explore"]
ON_DASK = ["score t.csv --engine dask --scheduler nowhere"]
FAR = ["score memory://t.csv", "compare memory://t.csv t.csv", "lm memory://tokens.csv"]
NEEDED = {
    "pyarrow": [*TABLES, *CODED, *SHOWN, *ON_DASK, *FAR, "demo", "demo --lm"],
    "rich": [*TABLES, *CODED[:1], "code t.csv", "demo", "demo --lm"],
    "constriction": CODED,
    "starlette": SHOWN,
    "uvicorn": SHOWN,
    "fsspec": FAR,
    "dask": ON_DASK,
    "distributed": ON_DASK,
}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    (tmp_path / "t.csv").write_text("label,prob_0,prob_1\n1,.25,.75\n0,.5,.5\n")
    (tmp_path / "tokens.csv").write_text("doc,logprob,bytes\na,-1,2\nb,-2,1\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("package", NEEDED)
def test_commands_without_a_package(package, folder):
    commands = [line.split() for line in NEEDED[package]]
    lacks = f"needs {package}, which is not installed: pip install 'plogq[{EXTRA_OF[package]}]'\n"
    for words, (status, said) in zip(commands, without({package}, RUN, commands), strict=True):
        assert (status, said) == (1, f"plogq: plogq {words[0]} {lacks}")
    assert sorted(path.name for path in folder.iterdir()) == ["t.csv", "tokens.csv"]


def test_commands_that_need_only_what_reads_and_prints(folder):
    lines = [*TABLES, "code t.csv", "", "help lm", "completion bash"]
    hidden = set(EXTRA_OF) - {"pyarrow", "rich"}
    assert without(hidden, RUN, [line.split() for line in lines]) == [[0, ""]] * len(lines)


def test_help_needs_nothing():
    words = [[], ["--version"], *([name, "--help"] for name in ("score", "lm", "code", "explore"))]
    assert without(EXTRA_OF, RUN, words) == [[0, ""]] * len(words)


DOORS = {
    "import plogq.torch": ("plogq.torch", "torch"),
    "import plogq.jax": ("plogq.jax", "jax"),
    "import plogq.keras": ("plogq.keras", "keras"),
    "import plogq.score": ("plogq.score", "pyarrow"),
    "import plogq.compare": ("plogq.compare", "pyarrow"),
    "import plogq.lm": ("plogq.lm", "pyarrow"),
    "import plogq.codes.files": ("plogq.codes.files", "pyarrow"),
    "import plogq.explorer": ("plogq.explorer", "pyarrow"),
    "import plogq.demo": ("plogq.demo", "pyarrow"),
    "import plogq.explore": ("plogq.explore", "anywidget"),
    "import plogq.notebook": ("plogq.explore", "anywidget"),
    "import plogq.torchmetrics": ("plogq.torchmetrics", "torch"),
    "import plogq.huggingface": ("plogq.huggingface", "accelerate"),
    "import plogq.lightning": ("plogq.lightning", "lightning"),
    "import plogq.sklearn": ("plogq.sklearn", "sklearn"),
    "import plogq.codes; plogq.codes.compress([0], [[0.5, 0.5]])":
        ("coding with a model", "constriction"),
}  # fmt: skip


def test_doors_of_python_without_any_extra():
    found = without(EXTRA_OF, TRY, list(DOORS))
    for (who, package), came in zip(DOORS.values(), found, strict=True):
        install = f"pip install 'plogq[{EXTRA_OF[package]}]'"
        assert came == [f"{who} needs {package}, which is not installed: {install}", package]


def test_what_needs_no_extra_runs_without_any():
    lines = [
        "import plogq; plogq.entropy([0.5, 0.5])",
        "import numpy, plogq.numpy; plogq.numpy.cross_entropy(numpy.eye(2), numpy.array([0, 1]))",
        "import plogq.codes; plogq.codes.Code.huffman({'a': 0.5, 'b': 0.5})",
        "import plogq.codes; plogq.codes.compressibility(b'abracadabra')",
    ]
    assert without(EXTRA_OF, TRY, lines) == [None] * len(lines)


@pytest.mark.parametrize(
    ("packages", "line", "who"),
    [
        ({"dask"}, 'score(T, engine="dask")', 'engine "dask"'),
        ({"distributed"}, 'score(T, engine="dask")', 'engine "dask"'),
        ({"fsspec"}, 'score("memory://t.csv")', "memory://t.csv: memory://"),
        ({"fsspec"}, 'score("sftp://h/t.csv")', "sftp://h/t.csv: sftp://"),
        ({"fsspec"}, 'score("zip://a.csv::b.zip")', "zip://a.csv::b.zip: zip://"),
    ],
)
def test_what_needs_an_extra_only_when_asked(packages, line, who):
    table = "T = {'probs': [[0.5, 0.5]], 'labels': [0]}"
    [came] = without(packages, TRY, [f"from plogq.score import score; {table}; {line}"])
    [package] = packages
    install = f"pip install 'plogq[{EXTRA_OF[package]}]'"
    assert came == [f"{who} needs {package}, which is not installed: {install}", package]


def imported(tree):
    """Give the packages that a file imports."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module.partition(".")[0]


def test_every_package_that_is_imported_has_its_extra():
    files = sorted((ROOT / "src" / "plogq").rglob("*.py"))
    found = {name for file in files for name in imported(ast.parse(file.read_text()))}
    others = found - sys.stdlib_module_names - ALWAYS - ALONE
    assert others == set(EXTRA_OF) - {"fsspec"}  # which is imported by its name as a text


def test_extras_are_those_of_the_package():
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"][
        "optional-dependencies"
    ]
    brought_by = {
        "distributed": "dask[distributed]",
        "traitlets": "anywidget",
        "pydantic_core": "pydantic",
        "sklearn": "scikit-learn",
    }
    for package, extra in EXTRA_OF.items():
        name = brought_by.get(package, package)
        assert [line for line in extras[extra] if line.startswith(name)], package


def test_a_package_without_a_wheel_is_not_said_to_come_with_an_extra(monkeypatch):
    monkeypatch.setattr(extras.sys, "platform", "linux")
    monkeypatch.setattr(extras.platform, "machine", lambda: "aarch64")
    said = extras.what_to_install("this", ModuleNotFoundError(name="constriction"))
    assert said.endswith("pip install constriction (on this machine, with a Rust compiler)")
    said = extras.what_to_install("this", ModuleNotFoundError(name="rich"))
    assert said.endswith("pip install 'plogq[app]'")
