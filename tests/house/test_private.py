"""A module whose name begins with an underscore is of its own folder, and nobody else's."""

import ast
from pathlib import Path

SRC = Path(__file__).parents[2] / "src"


def imported(path):
    """The modules that a file imports, as dotted names; `from a import b` may be one of `a.b`."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def strangers(path):
    """Private modules that are not of the file's folder."""
    folder = ".".join(path.relative_to(SRC).parent.parts)
    for name in imported(path):
        parts = name.split(".")
        if parts[0] != "plogq":
            continue
        for i, part in enumerate(parts):
            there = SRC.joinpath(*parts[: i + 1])
            is_module = any(there.parent.glob(f"{part}.py*")) or there.is_dir()
            private = part.startswith("_") and not part.startswith("__") and is_module
            if private and ".".join(parts[:i]) != folder:
                yield f"{path.relative_to(SRC)}: {name}"


def test_each_folder_of_modules_is_a_package():
    """The contracts on imports see no others."""
    package = SRC / "plogq"
    folders = {path.parent for path in package.rglob("*.py")}
    assert [str(folder) for folder in folders if not (folder / "__init__.py").exists()] == []


def test_a_private_module_is_imported_in_its_own_folder_alone():
    found = [line for path in sorted(SRC.rglob("*.py")) for line in strangers(path)]
    assert found == []
