"""The commands by which a program annotates a run of GitHub Actions."""


def command(level: str, properties: dict[str, str], message: str) -> str:
    """Return a command that shows a message; `level` is error, warning or notice.

    Examples
    --------
    >>> command("error", {"title": "a,b"}, "50%")
    '::error title=a%2Cb::50%25'
    """
    given = ",".join(f"{name}={_escaped(text, ':,')}" for name, text in properties.items())
    return f"::{level} {given}::{_escaped(message)}"


def _escaped(text: str, also: str = "") -> str:
    """Return text in which nothing ends a command."""
    for character in f"%\r\n{also}":
        text = text.replace(character, f"%{ord(character):02X}")
    return text
