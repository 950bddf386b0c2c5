"""The words on the files that were read, and on how logs of tokens were."""

from __future__ import annotations

from plogq.records import Source

PARTS_OF_RESPONSES = {
    "prompt": "the prompt",
    "completion": "the completion",
    "all": "prompt and completion",
}


def files(paths: tuple[str, ...]) -> str:
    """Return the name of the first file, and how many more there are."""
    return paths[0] + and_more(len(paths))


def and_more(files: int) -> str:
    """Return what follows the name of the first file: how many more there are."""
    return f" and {files - 1:,} more" if files > 1 else ""


def read_as(source: Source) -> str:
    """Return which columns were taken for what; for a log, its writer and the part scored."""
    if source.columns:
        each = (
            what if column == what else f"{column} ({what})"
            for what, column in source.columns.items()
        )
        return f"columns {', '.join(each)}"
    parts = [source.format]
    if source.part is not None:
        parts.append(f", {PARTS_OF_RESPONSES.get(source.part, source.part)}")
    if source.left_out:
        parts.append(f"; not read: {files(source.left_out)}")
    return "".join(parts)
