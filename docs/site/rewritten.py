"""HTML of a page with equations as MathML, and the names of plogq linked to the reference."""

from __future__ import annotations

from collections.abc import Callable
from html import escape
from html.parser import HTMLParser

from equations import typeset

# Nothing inside these is touched.
LEFT = {"a", "h1", "h2", "h3", "h4", "h5", "h6", "pre", "script", "style", "svg", "math"}


def rewritten(html: str, address: Callable[[str], str | None], *, equations: bool) -> str:
    """Return the HTML with `<code>` of a public name inside a link to `address(name)`."""
    reader = Rewriter(address, equations)
    reader.feed(html)
    reader.close()
    return "".join(reader.parts)


class Rewriter(HTMLParser):
    """Copies HTML as it is written, but for text outside the elements of `LEFT`."""

    def __init__(self, address: Callable[[str], str | None], equations: bool) -> None:
        super().__init__(convert_charrefs=True)
        self.address, self.equations = address, equations
        self.parts: list[str] = []
        self.inside: list[str] = []
        self.left = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Copy the tag; count how deep the elements of `LEFT` are nested."""
        self.left += tag in LEFT
        self.inside.append(tag)
        self.parts.append(self.get_starttag_text() or "")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Copy a tag without content."""
        self.parts.append(self.get_starttag_text() or "")

    def handle_endtag(self, tag: str) -> None:
        """Copy the tag."""
        self.left -= tag in LEFT
        if self.inside[-1:] == ["linked"]:
            self.inside.pop()
            self.parts.append("</code></a>")
            return
        while self.inside and self.inside.pop() != tag:  # void elements have no end
            pass
        self.parts.append(f"</{tag}>")

    def handle_data(self, data: str) -> None:
        """Copy text, with a link around a name."""
        text = escape(data, quote=False)
        if self.equations and not self.left and "code" not in self.inside:
            text = typeset(data)
        if not self.left and self.inside[-1:] == ["code"] and (to := self.address(data)):
            code = self.parts.pop()
            self.parts.append(f'<a href="{to}">{code}{text}')
            self.inside[-1] = "linked"
        else:
            self.parts.append(text)

    def handle_comment(self, data: str) -> None:
        """Copy a comment."""
        self.parts.append(f"<!--{data}-->")
