"""What --format sarif prints is SARIF 2.1.0, by the parts of it that are used.

The whole of it was held against the schema of OASIS, which this repository may not hold a copy of.
"""

import json

from plogq.doctor import check_code
from plogq.reports.doctor_formats import sarif
from tests.doctor.test_command import SICK, notebook


def test_results_point_to_rules_and_places(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a b.py").write_text(SICK)
    (tmp_path / "n.ipynb").write_text(notebook(SICK))
    (tmp_path / "broken.py").write_text("import torch\n(")
    diagnosis = check_code(".")
    log = json.loads(sarif(diagnosis))
    assert log["version"] == "2.1.0"
    (run,) = log["runs"]
    rules = run["tool"]["driver"]["rules"]
    assert [rule["id"] for rule in rules] == list(diagnosis.checks)
    assert {result["ruleId"] for result in run["results"]} == {"PQ301"}
    assert {result["level"] for result in run["results"]} <= {"error", "warning", "note"}
    file, cell = (result["locations"][0] for result in run["results"])
    assert file["physicalLocation"] == {
        "artifactLocation": {"uri": "a%20b.py"},
        "region": {"startLine": 3, "startColumn": 24},
    }
    assert cell["physicalLocation"] == {"artifactLocation": {"uri": "n.ipynb"}}
    assert cell["logicalLocations"] == [{"fullyQualifiedName": "n.ipynb:cell 1:3:24"}]
    (invocation,) = run["invocations"]
    assert not invocation["executionSuccessful"]
    (notification,) = invocation["toolExecutionNotifications"]
    assert notification["message"]["text"].startswith("not Python: ")
