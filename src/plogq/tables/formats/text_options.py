"""What a user says of how a text table is written; a look at its head finds the rest."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from plogq.errors import refuse

TAB = ("\\t", "tab")  # how a tab is typed in a shell


@dataclass(frozen=True)
class TextOptions:
    """The options of text tables; None where the head of the file decides."""

    encoding: str | None = None
    delimiter: str | None = None
    decimal: str | None = None
    header: tuple[str, ...] | None = None

    def not_used(self, what: str, used: Collection[str]) -> list[str]:
        """Return a sentence on the given options that do not apply to what is read; [] if all do.

        Examples
        --------
        >>> TextOptions(delimiter=";").not_used("t.parquet is Parquet", ())
        ['t.parquet is Parquet: --delimiter was not used.']
        """
        given = [f"--{name}" for name, value in vars(self).items()
                 if value is not None and name not in used]  # fmt: skip
        were = "was" if len(given) == 1 else "were"
        return [f"{what}: {' and '.join(given)} {were} not used."] if given else []


def text_options(
    encoding: str | None = None,
    delimiter: str | None = None,
    decimal: str | None = None,
    header: Sequence[str] | None = None,
) -> TextOptions:
    r"""Return the options, after checking them.

    Parameters
    ----------
    encoding
        The name of a text encoding that Python knows.
    delimiter
        The character between two columns; a tab may be written as \t or tab.
    decimal
        The decimal mark of numbers: a point or a comma.
    header
        The names of the columns, of a file that does not begin with them.

    Raises
    ------
    ValueError, TypeError
        An option is none of these.

    Examples
    --------
    >>> text_options(delimiter=";", decimal=",")
    TextOptions(encoding=None, delimiter=';', decimal=',', header=None)
    """
    for name, value in (("encoding", encoding), ("delimiter", delimiter), ("decimal", decimal)):
        if value is not None and not isinstance(value, str):
            refuse(name, "be a string", repr(value), error=TypeError)
    if encoding is not None:
        try:
            "a".encode(encoding)
        except (LookupError, UnicodeError, ValueError):
            refuse("encoding", "be one that Python knows, such as cp1252 or utf-16", repr(encoding))
    if delimiter is not None:
        delimiter = "\t" if delimiter in TAB else delimiter
        if len(delimiter) != 1 or delimiter in "\"'\r\n\\" or delimiter.isalnum():
            refuse("delimiter", "be one character, such as ; or \\t", repr(delimiter))
        if not delimiter.isascii():
            refuse("delimiter", "be a character of ASCII", repr(delimiter))
    if decimal not in (None, ".", ","):
        refuse("decimal", "be . or ,", repr(decimal))
    if header is not None and (
        isinstance(header, str) or not all(isinstance(name, str) for name in header)
    ):
        refuse("header", "be a list of names", repr(header), error=TypeError)
    return TextOptions(encoding, delimiter, decimal, None if header is None else tuple(header))
