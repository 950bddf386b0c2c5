"""plogq doctor code: exit statuses, formats, what is not read, what is mended."""

import json
import os
import signal
import subprocess

import pytest

from plogq.doctor import Diagnosis, check_code
from tests.cli.running import PLOGQ, plogq, plogq_here

SICK = "import torch.nn.functional as F\n\nloss = F.cross_entropy(F.softmax(x, dim=1), y)\n"
HEALTHY = "import torch.nn.functional as F\n\nloss = F.cross_entropy(x, y)\n"


def notebook(*cells):
    """Give a notebook as Jupyter writes it."""
    document = {"cells": [
        {"cell_type": "code", "execution_count": None, "metadata": {}, "outputs": [],
         "source": cell.splitlines(keepends=True)}
        for cell in cells
    ], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}  # fmt: skip
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    (tmp_path / "sick.py").write_text(SICK)
    (tmp_path / "healthy.py").write_text(HEALTHY)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_exit_statuses(folder):
    assert plogq("doctor", "code", "sick.py").returncode == 3
    assert plogq("doctor", "code", "healthy.py").returncode == 0
    assert plogq("doctor", "code").returncode == 2
    done = plogq("doctor", "code", "absent.py")
    assert (done.returncode, done.stderr) == (1, "plogq: absent.py: No such file or directory\n")


def test_a_report_says_where_what_why_and_never_that_all_is_well(folder):
    said = plogq_here("doctor", "code", "sick.py").stdout
    assert "sick.py:3:24: PQ301" in said
    assert "    loss = F.cross_entropy(F.softmax(x, dim=1), y)\n" in said
    assert "Certain. " in said
    assert "That is no proof that all is well" in plogq_here("doctor", "code", "healthy.py").stdout


def test_what_cannot_be_read_is_named_and_the_rest_is_not_lost(folder):
    (folder / "broken.py").write_text("import torch\ndef (:\n")
    (folder / "latin.py").write_bytes("# é torch\n".encode("latin-1"))
    (folder / "n.ipynb").write_text("[]")
    done = plogq_here("doctor", "code", ".")
    assert done.returncode == 1
    assert "sick.py:3:24: PQ301" in done.stdout
    assert "broken.py: not Python: invalid syntax (line 2)" in done.stdout
    assert "latin.py: not in UTF-8" in done.stdout
    assert "n.ipynb: not a notebook of format 4" in done.stdout


def test_a_file_without_a_loss_is_parsed_all_the_same(folder):
    (folder / "broken.py").write_text("x = (\n")
    done = plogq_here("doctor", "code", "broken.py")
    assert done.returncode == 1
    assert done.stdout.startswith("Nothing could be read.\n")
    assert "broken.py: not Python: '(' was never closed (line 1)" in done.stdout


@pytest.mark.parametrize("name", ["notes.txt", "README"])
def test_what_is_no_python_is_refused(folder, name):
    (folder / name).write_text(SICK)
    done = plogq_here("doctor", "code", name)
    assert done.returncode == 1
    assert done.stderr.startswith(f"plogq: {name} must be a folder or end in .py or .ipynb; got ")


def test_json_is_read_back(folder):
    done = plogq_here("doctor", "code", "sick.py", "--format", "json")
    assert Diagnosis.read(json.loads(done.stdout)) == check_code("sick.py")


def test_github_shows_a_finding_at_its_line(folder):
    first = plogq_here("doctor", "code", "sick.py", "--format", "github").stdout.splitlines()[0]
    assert first.startswith("::error file=sick.py,title=PQ301,line=3,col=24::")


@pytest.mark.parametrize(
    ("comment", "found"),
    [
        ("# noqa", 0),
        ("# noqa: PQ301", 0),
        ("# NOQA:E501, PQ301", 0),
        ("# noqa: PQ304", 1),
        ("# no: PQ301", 1),
    ],
)
def test_a_line_can_be_left_out(folder, comment, found):
    (folder / "sick.py").write_text(SICK.replace("y)\n", f"y)  {comment}\n"))
    assert len(check_code("sick.py").findings) == found
    (folder / "sick.py").write_text(SICK.replace("y)\n", f"y\n)  {comment}\n"))
    assert len(check_code("sick.py").findings) == found


def test_checks_are_selected_by_options_and_by_pyproject(folder):
    assert check_code("sick.py", ignore=["PQ30"]).not_run["PQ301"] == "ignored"
    assert check_code("sick.py", select=["PQ101"]).findings == ()
    (folder / "pyproject.toml").write_text('[tool.plogq.doctor]\nignore = ["PQ3"]\n')
    assert check_code("sick.py").findings == ()
    assert len(check_code("sick.py", ignore=[]).findings) == 1
    (folder / "pyproject.toml").write_text('[tool.plogq.doctor]\nexclude = ["sick*"]\n')
    assert check_code(".").findings == ()
    assert len(check_code("sick.py").findings) == 1


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ('ignore = "PQ301"', "tool.plogq.doctor.ignore must be a list of texts; got PQ301"),
        ("ignor = []", "tool.plogq.doctor.ignor must be one of select, ignore, exclude; got ignor"),
        ('ignore = ["E501"]', "ignore must hold codes of checks, such as PQ101 or PQ3; got 'E501'"),
        ("ignore = [", "pyproject.toml: Invalid value"),
    ],
)
def test_a_wrong_setting_is_one_sentence(folder, table, said):
    (folder / "pyproject.toml").write_text(f"[tool.plogq.doctor]\n{table}\n")
    done = plogq_here("doctor", "code", "sick.py")
    assert done.returncode == 1
    assert said in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_fix_shows_what_it_changes_and_keeps_the_rest(folder):
    sick = (
        "import torch.nn.functional as F\r\n\r\n"
        "loss = F.cross_entropy(  # é\r\n  F.softmax( x , 1) ,y)"
    )
    (folder / "sick.py").write_bytes(sick.encode())
    shown = plogq_here("doctor", "code", "sick.py", "--diff")
    assert "-  F.softmax( x , 1) ,y)" in shown.stderr
    assert shown.returncode == 3
    assert (folder / "sick.py").read_bytes() == sick.encode()
    fixed = plogq_here("doctor", "code", "sick.py", "--fix")
    assert fixed.stderr == shown.stderr
    assert fixed.returncode == 0
    assert (folder / "sick.py").read_bytes() == sick.replace("F.softmax( x , 1)", "x").encode()


def test_a_notebook_is_read_by_cell_and_mended_in_place(folder):
    cells = ["%matplotlib inline\n!pip install torch\nimport torch.nn.functional as F",
             "%%bash\nls )", "files = !ls\nif files:\n    %time x = 1\nx?",
             "await x\nloss = F.cross_entropy(F.softmax(x, dim=1), y)\n'é'"]  # fmt: skip
    (folder / "n.ipynb").write_text(notebook(*cells))
    diagnosis = check_code("n.ipynb")
    assert diagnosis.unread == ()
    assert [str(each.where) for each in diagnosis.findings] == ["n.ipynb:cell 4:2:24"]
    assert plogq_here("doctor", "code", "n.ipynb", "--fix").returncode == 0
    mended = [*cells[:3], cells[3].replace("F.softmax(x, dim=1)", "x")]
    assert (folder / "n.ipynb").read_text() == notebook(*mended)


def test_a_cell_that_does_not_parse_is_named(folder):
    (folder / "n.ipynb").write_text(notebook("def (:", SICK))
    diagnosis = check_code("n.ipynb")
    assert [each.reason for each in diagnosis.unread] == [
        "cell 1 is not read: invalid syntax (line 1)"
    ]
    assert len(diagnosis.findings) == 1


def test_processes_find_the_same(folder):
    for i in range(150):
        (folder / f"f{i:03}.py").write_text(SICK if i % 3 else HEALTHY)
    done = []
    several = check_code(".", workers=2, progress=lambda *at: done.append(at))
    assert several == check_code(".")
    assert done[-1] == (152, 152)


def test_nothing_is_imported_or_run(folder):
    (folder / "sick.py").write_text("import no_such_module\nraise SystemExit(9)\n" + SICK)
    assert [each.code for each in check_code("sick.py").findings] == ["PQ301"]


def test_text_and_cell_say_the_same(folder):
    diagnosis = check_code("sick.py")
    assert "sick.py:3:24: PQ301 A softmax stands" in str(diagnosis)
    assert "PQ301 A softmax stands" in diagnosis._repr_html_()


def test_explain_prints_the_page(folder):
    said = plogq_here("doctor", "--explain", "PQ301").stdout
    assert said.startswith("# PQ301 softmax_before_logits_loss\n")
    assert plogq_here("doctor", "--explain", "PQ999").returncode == 1
    assert "PQ301  A softmax" in plogq_here("doctor", "--list").stdout


def test_a_percent_sign_inside_an_expression_is_no_magic(folder):
    cell = f'print("%d"\n      % (1,\n         2))\n{SICK}'
    (folder / "n.ipynb").write_text(notebook("%pwd\n" + cell, cell))
    diagnosis = check_code("n.ipynb")
    assert diagnosis.unread == ()
    assert [each.where.cell for each in diagnosis.findings] == [1, 2]


def test_a_change_that_would_leave_no_python_is_not_made(folder):
    sick = SICK.replace("(F.softmax(x, dim=1), y)", "(input=F.softmax((x := z), dim=1), target=y)")
    (folder / "sick.py").write_text(sick)
    assert plogq_here("doctor", "code", "sick.py", "--fix").returncode == 3
    assert (folder / "sick.py").read_text() == sick


def test_what_is_nested_too_deep_is_named(folder):
    (folder / "deep.py").write_text("import torch\nx = " + " + ".join(["1"] * 3000) + "\n")
    diagnosis = check_code(".")
    assert [each.path for each in diagnosis.unread] == ["deep.py"]
    assert len(diagnosis.findings) == 1


def test_what_a_file_holds_steers_neither_terminal_nor_page(folder):
    (folder / "sick.py").write_text(SICK.replace("y)\n", "y)  # \x1b[31m <b>\n"))
    diagnosis = check_code("sick.py")
    for shown in (str(diagnosis), plogq_here("doctor", "code", "sick.py").stdout):
        assert "\\x1b[31m" in shown
        assert "\x1b" not in shown
    assert "&lt;b&gt;" in diagnosis._repr_html_()


def test_an_interrupt_ends_it_without_a_word(folder):
    os.mkfifo(folder / "pipe.py")
    command = [*PLOGQ, "doctor", "code", "pipe.py"]
    running = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    with (folder / "pipe.py").open("wb"):  # opens when the command begins to read
        running.send_signal(signal.SIGINT)
        said = running.communicate(timeout=60)
    assert (running.returncode, *said) == (130, b"", b"")
