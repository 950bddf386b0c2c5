"""What a release says of itself is true of what is in the repository."""

import importlib.util
import json
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]
SBOM = ROOT / "packaging" / "sbom.py"


def bill(tmp_path, *options):
    file = tmp_path / "plogq.cdx.json"
    words = [sys.executable, SBOM, file, "--version", "0.1.0", "--nanobind", "3.1", *options]
    subprocess.run(words, check=True)
    return json.loads(file.read_text())


def test_the_bill_of_materials_names_every_part(tmp_path):
    parts = {p["name"]: p for p in bill(tmp_path, "--cxx", "Clang 20.1")["components"]}
    lock = json.loads((ROOT / "web" / "package-lock.json").read_text())["packages"]
    bundled = {path.rpartition("/")[2] for path, p in lock.items() if path and not p.get("dev")}
    assert set(parts) == bundled | {"nanobind", "robin-map", "libc++"}
    assert parts["libc++"]["version"] == "20.1"
    assert parts["preact"]["purl"] == f"pkg:npm/preact@{lock['node_modules/preact']['version']}"
    assert "libc++" not in {p["name"] for p in bill(tmp_path, "--cxx", "GNU 12")["components"]}


def test_every_part_has_its_license_text(tmp_path):
    spec = importlib.util.spec_from_file_location("sbom", SBOM)
    sbom = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(sbom)
    texts = {file.stem: file.read_text() for file in (ROOT / "licenses").iterdir()}
    for name, _, spdx in sbom.parts_of_pages():
        own = name if name in texts else "d3" if name.startswith("d3-") else None
        assert own, f"licenses/ has no text for {name}"
        assert ("MIT" in texts[own]) == (spdx == "MIT")
        kept = ROOT / "web" / "node_modules" / name / "LICENSE"
        if kept.exists():
            assert kept.read_text().split("\n\n", 1)[1].strip() in texts[own], name


def test_versions_agree():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    cited = (ROOT / "CITATION.cff").read_text()
    assert f"\nversion: {project['version']}\n" in cited
    assert f"\nlicense: {project['license']}\n" in cited
