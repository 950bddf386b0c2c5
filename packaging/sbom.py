"""Write what is inside of a wheel beside plogq's own files, in CycloneDX's form.

CMake runs this for each build: the parts of the pages are those that
web/package-lock.json pins, and the native ones those that CMake found.
"""

from __future__ import annotations

import argparse
import json
import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
_LICENSES = {  # of each part, by its name: the file under licenses/, and SPDX's name
    "nanobind": ("nanobind.txt", "BSD-3-Clause"),
    "robin-map": ("robin-map.txt", "MIT"),
    "xla-ffi": ("../LICENSE", "Apache-2.0"),
    "libc++": ("llvm.txt", "Apache-2.0 WITH LLVM-exception"),
}
_ROBIN_MAP = "1.4.0"  # what nanobind 3.1 carries


def parts_of_pages() -> list[tuple[str, str, str]]:
    """Return name, version and license of what the pages' scripts were bundled from."""
    lock = json.loads((ROOT / "web" / "package-lock.json").read_text(encoding="utf-8"))
    return [
        (path.removeprefix("node_modules/"), part["version"], part["license"])
        for path, part in lock["packages"].items()
        if path and not part.get("dev")
    ]


def components(nanobind: str, cxx: str, xla: Path | None) -> list[dict[str, object]]:
    """Return all parts: of the pages, of the binding, and of the compiler where it is linked in."""
    found = [_part("npm", *part) for part in parts_of_pages()]
    native = {"nanobind": nanobind, "robin-map": _ROBIN_MAP}
    if xla:
        text = (xla.parent / "version.py").read_text(encoding="utf-8")
        native["xla-ffi"] = re.search(r'_version = "([^"]+)"', text)[1]
    name, _, version = cxx.partition(" ")
    if name == "Clang":  # the release's compiler links its library into the extension
        native["libc++"] = version
    return found + [_part("generic", n, v, _LICENSES[n][1]) for n, v in native.items()]


def _part(kind: str, name: str, version: str, license_: str) -> dict[str, object]:
    return {
        "type": "library",
        "name": name,
        "version": version,
        "purl": f"pkg:{kind}/{name.replace('+', '%2B')}@{version}",
        "licenses": [{"expression": license_}],
    }


def main() -> None:
    """Write the file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path)
    parser.add_argument("--version", required=True, help="plogq's")
    parser.add_argument("--nanobind", required=True, help="its version")
    parser.add_argument("--cxx", required=True, help="the compiler's name and version")
    parser.add_argument("--xla", type=Path, help="jaxlib's headers, if XLA can call the row kernel")
    asked = parser.parse_args()
    own = _part("pypi", "plogq", asked.version, "Apache-2.0")
    bill = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"component": own},
        "components": components(asked.nanobind, asked.cxx, asked.xla),
    }
    asked.file.write_text(json.dumps(bill, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
