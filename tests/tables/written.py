"""Text tables, written by hand in any dialect."""

import bz2
import gzip
import io
import lzma
import zipfile

import zstandard


def zipped(data, name="inside.csv"):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, data)
    return file.getvalue()


PACKERS = {
    "": bytes,
    ".gz": gzip.compress,
    ".bz2": bz2.compress,
    ".zst": zstandard.compress,
    ".xz": lzma.compress,
    ".zip": zipped,
}


def lines(names, rows, delimiter=",", decimal=".", end="\n", blanks=False):
    """Give a table as text: floats by repr, quoted where the delimiter is the decimal mark."""

    def cell(value):
        text = repr(value).replace(".", decimal) if isinstance(value, float) else str(value)
        return f'"{text}"' if delimiter in text else text

    between = delimiter + (" " if blanks else "")
    return "".join(between.join(map(cell, row)) + end for row in [names, *rows])
