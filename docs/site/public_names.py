"""The public names of plogq, read from its source without running it."""

from __future__ import annotations

from functools import cache
from inspect import Parameter, signature
from typing import Any

import griffe

# What users import. Every other module of the package serves these.
MODULES = (
    "plogq",
    "plogq.numpy",
    "plogq.torch",
    "plogq.torch.parallel",
    "plogq.jax",
    "plogq.keras",
    "plogq.score",
    "plogq.compare",
    "plogq.lm",
    "plogq.codes",
    "plogq.doctor",
    "plogq.doctor.keras",
    "plogq.doctor.jax",
    "plogq.sklearn",
    "plogq.huggingface",
    "plogq.lightning",
    "plogq.torchmetrics",
    "plogq.explore",
    "plogq.explorer",
    "plogq.demo",
)
# Modules that take all names of another one, which griffe's `__all__` does not say.
WRITTEN_IN = {
    "plogq.sklearn": "plogq.adapters.sklearn",
    "plogq.huggingface": "plogq.adapters.huggingface",
    "plogq.lightning": "plogq.adapters.lightning",
    "plogq.torchmetrics": "plogq.adapters.torchmetrics",
    "plogq.explore": "plogq.notebook",
}
# Methods that doors give as functions of theirs.
KINDS = {kind: griffe.ParameterKind[kind.name.lower()] for kind in type(Parameter.KEYWORD_ONLY)}
METHODS = {"engine": "only", "explain": "explain"}


@cache
def load() -> Any:
    """Return the package as griffe reads it."""
    return griffe.load(
        "plogq",
        search_paths=["src"],
        submodules=True,
        docstring_parser="numpy",
        extensions=griffe.Extensions(PublicNames()),
        resolve_aliases=True,
        resolve_external=False,
    )


def names(package: Any, module: str) -> list[str]:
    """Return the public names of a module that are not modules themselves."""
    at = (
        package[WRITTEN_IN.get(module, module).removeprefix("plogq.")] if "." in module else package
    )
    found = [str(name) for name in at.exports]
    return [name for name in found if f"{module}.{name}" not in MODULES and name != "__version__"]


def undocumented(package: Any) -> list[str]:
    """Return the public names without a docstring."""
    found = [f"{module}.{name}" for module in MODULES for name in names(package, module)]
    return [name for name in found if not package[name.removeprefix("plogq.")].has_docstring]


class PublicNames(griffe.Extension):
    """Adds the names that griffe cannot see in the source, and their docstrings."""

    def on_package(self, *, pkg: Any, **_: Any) -> None:
        """Complete the package after it was read."""
        if pkg.name != "plogq":
            return
        for door in ("numpy", "torch", "torch.parallel", "jax"):
            for name, method in METHODS.items():
                if name in pkg[door].exports:
                    target = f"plogq.kernels.seam.Engines.{method}"
                    pkg[door].set_member(name, griffe.Alias(name, target, parent=pkg[door]))
        add_pages(pkg)


def add_pages(package: Any) -> None:
    """Add the functions that `plogq.notebook` makes of the explorer's pages as it is imported."""
    from plogq import notebook

    for module in (package["notebook"], package["explore"]):
        for name in notebook.PAGES:
            function = getattr(notebook, name)
            parameters = griffe.Parameters(*[
                griffe.Parameter(p.name, kind=KINDS[p.kind], default=repr(p.default))
                for p in signature(function).parameters.values()
            ])  # fmt: skip
            docstring = griffe.Docstring(function.__doc__, parser="numpy")
            made = griffe.Function(name, parameters=parameters, docstring=docstring, parent=module)
            if name not in module.members:
                module.set_member(name, made)
    package["notebook"].exports = list(notebook.__all__)
