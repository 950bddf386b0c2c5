"""What `mkdocs build` does beside its plugins: pages that are made, and links between pages.

The reference has a page for each public module. Files that stand outside `docs/`, and that pages
name, become pages themselves. A path in backticks, as in `docs/score.md`, becomes a link.
"""

from __future__ import annotations

import posixpath
import re
from pathlib import Path
from typing import Any

import public_names
from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File, Files
from rewritten import rewritten

ROOT = Path(__file__).resolve().parents[2]
SHOWN = ("CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md")
PATH = re.compile(r"`((?:docs|examples|benchmarks)/[\w./-]+\.(?:md|py|txt))`")
LINK = re.compile(r"\]\((?!\w+:)([\w./-]+\.(?:py|txt))\)")  # of a page to a file that is none
# Pages of names and paths, in which nothing is an equation.
AS_WRITTEN = ("files/", "doctor/field-test", "doctor/precision")
NAMED = re.compile(r"\[[\w/-]+\.md\]\(([^)\s]+)\)")  # `[score.md](score.md)`
FENCE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
LANGUAGE = {".py": "python", ".txt": "text"}

# For the whole build: nav titles of pages, and where each public name is documented.
titles: dict[str, str] = {}
places: dict[str, str] = {}


def on_files(files: Files, config: Any) -> Files:
    """Add the pages that are made, and fill the folders of the navigation."""
    package = public_names.load()
    if undocumented := public_names.undocumented(package):
        raise PluginError(f"Public names without a docstring: {', '.join(undocumented)}")
    for module in public_names.MODULES:
        page = f"reference/{module}.md"
        files.append(File.generated(config, page, content=reference(package, module)))
        places.update({f"{module}.{n}": page for n in public_names.names(package, module)})
        places[module] = page
    for name in SHOWN:
        text = (ROOT / name).read_text(encoding="utf-8")
        text = re.sub(r"\]\(docs/", "](../", text)
        files.append(File.generated(config, f"files/{name}", content=text))
    for name in sorted(named_files(files)):
        text = (ROOT / name).read_text(encoding="utf-8").rstrip()
        fence = "`" * 4
        page = f"# `{name}`\n\n{fence}{LANGUAGE[Path(name).suffix]}\n{text}\n{fence}\n"
        files.append(File.generated(config, f"files/{name}.md", content=page))
    config.nav = filled(config.nav, files)
    titles.update(titled(config.nav))
    return files


def reference(package: Any, module: str) -> str:
    """Return the page of a public module: its docstring, then its names in sections."""
    lines = [f"# `{module}`", "", f"::: {module}"]
    lines += ["    options: { show_root_heading: false, members: [] }", ""]
    sections: dict[str, list[str]] = {}
    for name in public_names.names(package, module):
        sections.setdefault(section(package, f"{module}.{name}"), []).append(name)
    level = 2 if len(sections) == 1 else 3
    for title, names in sections.items():
        lines += [f"## {title}", ""] if level == 3 else []
        for name in names:
            lines += [f"::: {module}.{name}", f"    options: {{ heading_level: {level} }}", ""]
    return "\n".join(lines)


def section(package: Any, name: str) -> str:
    """Return what the module that defines a name is about, for the measures and formulas alone."""
    if name.count(".") > 1:
        return ""
    docstring = package[name.removeprefix("plogq.")].final_target.parent.docstring
    return re.split(r":|, each|, from|\.?\n", docstring.value)[0].rstrip(".")


def named_files(files: Files) -> set[str]:
    """Return the files that pages name, and that are not pages."""
    named: set[str] = set()
    for file in files.documentation_pages():
        named.update(PATH.findall(file.content_string))
        named.update(from_root(file, path) for path in LINK.findall(file.content_string))
    return {path for path in named if path[-3:] != ".md" and (ROOT / path).is_file()}


def from_root(file: File, path: str) -> str:
    """Return the path from the root of what a page in `docs/` calls by a path from itself."""
    return posixpath.normpath(posixpath.join("docs", posixpath.dirname(file.src_uri), path))


def filled(nav: Any, files: Files) -> Any:
    """Return a part of the navigation with the pages of a folder in the folder's place.

    A page that is not there is left out: that all pages are listed is what the build checks.
    """
    if isinstance(nav, list):
        return [item for item in (filled(item, files) for item in nav) if item]
    if isinstance(nav, dict):
        inside = {title: filled(item, files) for title, item in nav.items()}
        return {title: item for title, item in inside.items() if item}
    if nav == "reference/":
        return [{module: f"reference/{module}.md"} for module in public_names.MODULES]
    pages = [file.src_uri for file in files.documentation_pages()]
    if nav.endswith("/"):
        found = [page for page in pages if posixpath.dirname(page) + "/" == nav]
        return sorted(found, key=lambda page: (not page.endswith("README.md"), page))
    return nav if nav in pages else None


def titled(nav: Any) -> dict[str, str]:
    """Return the title that the navigation gives to each page."""
    found: dict[str, str] = {}
    for item in nav:
        if isinstance(item, dict):
            for title, inside in item.items():
                found |= {inside: title} if isinstance(inside, str) else titled(inside)
    return found


def on_page_markdown(markdown: str, page: Any, files: Files, **_: Any) -> str:
    """Link the paths of other pages, and colour sessions of Python as such."""
    here = posixpath.dirname(page.file.src_uri)

    def linked_file(match: re.Match[str]) -> str:
        to = f"files/{from_root(page.file, match[1])}.md"
        return f"]({posixpath.relpath(to, here)})"

    def link(match: re.Match[str]) -> str:
        path = match[1]
        to = path.removeprefix("docs/") if path[-3:] == ".md" else f"files/{path}.md"
        if files.get_file_from_path(to) is None or to == page.file.src_uri:
            return match[0]
        label = f"“{titles[to]}”" if to in titles else f"`{path}`"
        return f"[{label}]({posixpath.relpath(to, here)})"

    def named(match: re.Match[str]) -> str:
        """Let a link that shows the name of a page's file show its title."""
        to = posixpath.normpath(posixpath.join(here, match[1].partition("#")[0]))
        return f"[“{titles[to]}”]({match[1]})" if to in titles else match[0]

    def linked(text: str) -> str:
        return NAMED.sub(named, PATH.sub(link, LINK.sub(linked_file, text)))

    if page.file.src_uri.endswith((".py.md", ".txt.md")):
        return markdown
    parts, end = [], 0
    for fence in FENCE.finditer(markdown):
        parts += [linked(markdown[end : fence.start()])]
        parts += [re.sub(r"\A```python\n(?=>>>)", "```pycon\n", fence[0])]
        end = fence.end()
    return "".join([*parts, linked(markdown[end:])])


def on_page_content(html: str, page: Any, files: Files, **_: Any) -> str:
    """Typeset the equations of the reference, and link names to it."""
    here = posixpath.dirname(page.file.dest_uri)
    module = Path(page.file.src_uri).stem if page.file.src_uri[:10] == "reference/" else None

    def address(name: str) -> str | None:
        own = f"{module}.{name}" if module else name
        known = own if own in places else name
        if known not in places or known == module:
            return None
        at = files.get_file_from_path(places[known])
        anchor = "" if known in public_names.MODULES else f"#{known}"
        return posixpath.relpath(at.dest_uri, here or ".") + anchor

    for name in public_names.names(public_names.load(), module) if module else []:
        if f'id="{module}.{name}"' not in html:
            raise PluginError(f"{module}.{name} is not in the reference")
    html = html.replace("<th></th>", "<td></td>")  # the corner of a table heads nothing
    return rewritten(html, address, equations=not page.file.src_uri.startswith(AS_WRITTEN))


def on_post_page(output: str, **_: Any) -> str:
    """Name the dialog of the search, which the theme leaves without a name."""
    dialog = 'data-md-component="search" role="dialog"'
    return output.replace(dialog, f'{dialog} aria-label="Search"')
