"""A check: a file in `plogq.doctor.checks`, whose docstring is its page.

The docstring's first line is the title. Then come the sections of `SECTIONS`, in this order, in
Markdown; `Example` and `Use instead` hold one fenced block of Python each. A check of values
(PQ1xx) has examples that end with a call of `check`, one of a training (PQ2xx) those that end with
its `diagnosis`; those of a check of code (PQ3xx) are what it reads. The module's `find` is given
what there is to look at, and yields findings; `OFF`, where it is there, says why the check only
looks when it is selected.
"""

from __future__ import annotations

import inspect
import pkgutil
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from importlib import import_module
from typing import Any

from plogq.doctor import checks
from plogq.doctor.finding import Finding
from plogq.errors import refuse

SECTIONS = ("What it does", "Why it matters", "Example", "Use instead", "Fix safety", "Sources")
SAFETIES = ("Safe", "Unsafe", "No fix")  # what `Fix safety` begins with
VALUES, TRAINING, CODE = "PQ1", "PQ2", "PQ3"


@dataclass(frozen=True)
class Check:
    """A check, as its file has it.

    Attributes
    ----------
    code, name
        Such as PQ101 and softmax_before_logits_loss. Checks of one name look for the same mistake
        in other places.
    title
        What it finds, in a few words.
    text
        Its docstring.
    sections
        Of the docstring, by heading.
    find
        Takes what there is to look at, and yields findings without code and title.
    off
        Why it only looks when it is selected; empty if it always does.
    """

    code: str
    name: str
    title: str
    text: str
    sections: dict[str, str]
    find: Callable[[Any], Iterator[Finding]]
    off: str

    @property
    def safe(self) -> bool:
        """Whether `--fix` may apply what it proposes."""
        return self.sections["Fix safety"].startswith("Safe")

    @property
    def page(self) -> str:
        """Its page, as Markdown."""
        off = f"Off by default: {self.off}\n\n" if self.off else ""
        _, _, sections = self.text.partition("\n")
        return f"# {self.code} {self.name}\n\n{self.title}.\n\n{off}{sections.strip()}\n"

    def example(self, section: str) -> str:
        """Return the block of Python of `Example` or `Use instead`."""
        return _blocks(self.sections[section])[0]

    def findings(self, given: Any) -> list[Finding]:
        """Return what it finds, under its code and title."""
        return [replace(each, code=self.code, title=self.title) for each in self.find(given)]


def all_checks(series: str = "PQ") -> tuple[Check, ...]:
    """Return the checks of a series, in the order of their codes."""
    return tuple(_check(name) for name in _modules() if name.startswith(series))


@cache
def _modules() -> tuple[str, ...]:
    """Return the names of the files of the checks, in order."""
    return tuple(sorted(each.name for each in pkgutil.iter_modules(checks.__path__)))


def codes_of(*names: str) -> tuple[str, ...]:
    """Return the codes of the checks that look for mistakes of these names.

    Raises
    ------
    ValueError
        No check has this name.

    Examples
    --------
    >>> codes_of("softmax_before_logits_loss")
    ('PQ101', 'PQ301')
    """
    known = [file.partition("_")[::2] for file in _modules()]
    for name in names:
        if name not in {each for _, each in known}:
            refuse("name", "be that of a check", repr(name))
    return tuple(code for code, name in known if name in names)


def check_of(code: str) -> Check:
    """Return the check of a code.

    Raises
    ------
    ValueError
        No check has this code.
    """
    found = {check.code: check for check in all_checks()}
    if code not in found:
        refuse("code", f"be one of {', '.join(found)}", repr(code))
    return found[code]


@cache
def _check(module_name: str) -> Check:
    code, _, name = module_name.partition("_")
    module = import_module(f"{checks.__name__}.{module_name}")
    text = inspect.cleandoc(module.__doc__ or "")
    title, *parts = re.split(r"^## (.+)\n", text, flags=re.MULTILINE)
    sections = dict(zip(parts[::2], map(str.strip, parts[1::2]), strict=True))
    if tuple(sections) != SECTIONS or not all(sections.values()):
        refuse(f"the docstring of {module_name}", f"have the sections {SECTIONS}", tuple(sections))
    for section in ("Example", "Use instead"):
        if len(_blocks(sections[section])) != 1:
            refuse(f"{section!r} of {module_name}", "hold one block of Python", sections[section])
    if not sections["Fix safety"].startswith(SAFETIES):
        refuse(f"'Fix safety' of {module_name}", f"begin with one of {SAFETIES}", sections)
    off = getattr(module, "OFF", "")
    return Check(code, name, title.strip().removesuffix("."), text, sections, module.find, off)


def _blocks(text: str) -> list[str]:
    return re.findall(r"^```python\n(.*?)^```", text, flags=re.MULTILINE | re.DOTALL)


def chosen(
    series: str, select: Sequence[str] | None, ignore: Sequence[str] | None
) -> tuple[tuple[Check, ...], dict[str, str]]:
    """Return the checks of a series that are to look, and why each of the others is not.

    Parameters
    ----------
    series
        `VALUES`, `TRAINING` or `CODE`.
    select, ignore
        Codes, or how codes begin. Without `select`, all look but those that are off by default.

    Raises
    ------
    ValueError
        A code that no check has.
    """
    for name, codes in (("select", select), ("ignore", ignore)):
        for code in codes or ():
            if not any(each.code.startswith(code) for each in all_checks()):
                refuse(name, "hold codes of checks, such as PQ101 or PQ3", repr(code))
    looking, not_run = [], {}
    for check in all_checks(series):
        if ignore and check.code.startswith(tuple(ignore)):
            not_run[check.code] = "ignored"
        elif select is not None and not check.code.startswith(tuple(select)):
            not_run[check.code] = "not selected"
        elif select is None and check.off:
            not_run[check.code] = f"off by default: {check.off}"
        else:
            looking.append(check)
    return tuple(looking), not_run
