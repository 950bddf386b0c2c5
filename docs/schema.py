"""Write `docs/schema.md`, the fields of every command's JSON: `make schema`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from plogq.compare import Comparison, ManyComparison, Validation
from plogq.doctor import Diagnosis, GradientFlow
from plogq.lm import TokensResult
from plogq.records import Document
from plogq.score import LabelErrors, Recalibration, Result

PAGE = Path(__file__).with_name("schema.md")
DOCUMENTS: tuple[type[Document], ...] = (
    Result,
    LabelErrors,
    Comparison,
    ManyComparison,
    TokensResult,
    Diagnosis,
    GradientFlow,
    Recalibration,
    Validation,
)

HEADER = """# The fields of the JSON

What `--json`, the doctor's `--format json` and `plogq recalibrate --save` write, made from the
types of the results by `make schema`. In Python,
`Result.json_schema()` gives the same as JSON schema, and `Result.read(…)` reads a document back
and checks it. JSON has no infinities: where "±inf" stands below, they are the texts `"inf"` and
`"-inf"`. What is not known is `null`. Later versions may write more fields: readers
should accept them.
"""


def page() -> str:
    """Return the text of the page."""
    schemas = [each.json_schema() for each in DOCUMENTS]
    parts: dict[str, dict[str, Any]] = {}
    for name, part in (item for schema in schemas for item in schema["$defs"].items()):
        if parts.setdefault(name, part) != part:
            raise ValueError(f"two different parts are called {name}")
    documents = [f"## {schema['title']}\n\n{_table(schema, parts)}" for schema in schemas]
    records = [f"### {name}\n\n{_table(parts[name], parts)}" for name in sorted(parts)]
    return "\n".join([HEADER, *documents, "## What they are made of\n", *records])


def _table(record: dict[str, Any], parts: dict[str, dict[str, Any]]) -> str:
    lines = [f"{record['description']}\n", "| field | holds | is |", "| --- | --- | --- |"]
    required = record.get("required", [])
    for name, field in record["properties"].items():
        absent = "" if name in required else ", may be absent"
        of_part = parts.get(field.get("$ref", "").rpartition("/")[2], {}).get("description", "")
        meaning = " ".join(field.get("description", of_part).split()).replace("|", "\\|")
        lines.append(f"| `{name}` | {_holds(field)}{absent} | {meaning} |")
    return "\n".join(lines) + "\n"


def _holds(field: dict[str, Any]) -> str:
    """Return in words what a field holds."""
    if "$ref" in field:
        name = field["$ref"].rpartition("/")[2]
        return f"[{name}](#{name.lower()})"
    if one_of := field.get("anyOf", field.get("oneOf")):
        return " or ".join(dict.fromkeys(map(_holds, one_of)))
    if field.get("enum") == ["inf", "-inf"]:
        return "±inf"
    if "const" in field or "enum" in field:
        return " or ".join(f'`"{v}"`' if isinstance(v, str) else f"`{v}`" for v in _values(field))
    kind = field.get("type", "anything")
    if kind == "array" and "prefixItems" in field:
        return f"[{', '.join(map(_holds, field['prefixItems']))}]"
    if kind == "array":
        return f"list of {_holds(field['items'])}"
    if kind == "object":
        values = field.get("additionalProperties", True)
        return "object" if values is True else f"object of {_holds(values)}"
    return " or ".join(kind) if isinstance(kind, list) else _bounded(field)


def _values(field: dict[str, Any]) -> list[Any]:
    return [field["const"]] if "const" in field else list(field["enum"])


def _bounded(field: dict[str, Any]) -> str:
    """Return a plain type, with its bounds."""
    name: str = field.get("type", "anything")
    if "exclusiveMinimum" in field:
        return f"{name} above {field['exclusiveMinimum']}"
    if field.get("maximum") == 1:
        return f"{name} from 0 to 1"
    return name


if __name__ == "__main__":
    PAGE.write_text(page())
