"""What `plogq code` does: files and labels of tables to coded files, and back."""

from plogq.extras import needed_by

with needed_by("plogq.codes.files"):
    import pyarrow as _pyarrow  # noqa: F401

from plogq.codes.files.bytes_file import BytesReport, code_file, decode_file
from plogq.codes.files.labels_file import (
    LabelsReport,
    check_labels_path,
    code_labels,
    decode_labels,
    labels_table,
)

__all__ = [
    "BytesReport",
    "LabelsReport",
    "check_labels_path",
    "code_file",
    "code_labels",
    "decode_file",
    "decode_labels",
    "labels_table",
]
