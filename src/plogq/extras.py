"""What plogq needs beside NumPy, and which of its extras installs it."""

from __future__ import annotations

import platform
import sys
from collections.abc import Iterator
from contextlib import contextmanager

# By the name that a package is imported under; pyproject.toml has what each extra installs.
EXTRA_OF = {
    "pyarrow": "app",
    "rich": "app",
    "starlette": "app",
    "uvicorn": "app",
    "constriction": "app",
    "fsspec": "app",
    "pydantic": "app",
    "pydantic_core": "app",
    "torch": "torch",
    "jax": "jax",
    "keras": "keras",
    "dask": "dask",
    "distributed": "dask",
    "anywidget": "notebook",
    "traitlets": "notebook",
    "sklearn": "sklearn",
    "torchmetrics": "torchmetrics",
    "transformers": "hf",
    "accelerate": "hf",
    "lightning": "lightning",
}


def what_to_install(who: str, error: ModuleNotFoundError) -> str:
    """Return the sentence that says what `who` lacks, and the command that installs it.

    Examples
    --------
    >>> what_to_install("plogq.torch", ModuleNotFoundError(name="torch"))
    "plogq.torch needs torch, which is not installed: pip install 'plogq[torch]'"
    """
    package = (error.name or "").partition(".")[0]
    if package not in EXTRA_OF:
        return str(error)
    install = f"pip install 'plogq[{EXTRA_OF[package]}]'"
    if package == "constriction" and not _has_its_wheel():
        install = f"pip install {package} (on this machine, with a Rust compiler)"
    return f"{who} needs {package}, which is not installed: {install}"


def _has_its_wheel() -> bool:
    """Return whether pyproject.toml asks for constriction here: it has a wheel for this machine."""
    return sys.platform == "darwin" or platform.machine() in ("x86_64", "AMD64")


@contextmanager
def needed_by(who: str) -> Iterator[None]:
    """Turn the error of an import inside into one that says what installs the missing package.

    Raises
    ------
    ModuleNotFoundError
        A package is missing.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        said = what_to_install(who, error)
        raise ModuleNotFoundError(said, name=error.name, path=error.path) from None
