"""A recalibration to keep: learnt from one table, applied to others."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np

from plogq.errors import TableError, refuse
from plogq.formulas.units import Unit
from plogq.kinds import Count, Interval, Number, Text
from plogq.records import Document, encoded
from plogq.score.recalibration import BY_NAME, check_parameters, log_softmax, softmax
from plogq.score.result import Result
from plogq.score.score import score
from plogq.tables.arrays import Array
from plogq.tables.batch import Batch
from plogq.tables.column_names import few
from plogq.tables.columns import Columns
from plogq.tables.formats.arrays import Arrays
from plogq.tables.predictions import Predictions
from plogq.tables.readers import table_of_arrays
from plogq.tables.row_figures import check_logits, distributions
from plogq.tables.unlabelled import Unlabelled

IDENTITY = "identity"


@dataclass(frozen=True, kw_only=True)
class Promise:
    """What a recalibration costs and saves on rows that it was not fitted to, by its cross-fit."""

    cross_entropy: Number | None
    """The cross-entropy per row that it leaves, in `unit`; null where it cannot be told."""
    saved: Number | None
    """What it saves per row; infinite where labels had probability 0, null where it mends none."""
    interval: Interval | None = None
    """The interval of what it saves; null where there is none."""
    unit: Unit
    """The unit of all three."""
    rows: Count
    """How many rows the figures are of."""


@dataclass(frozen=True, kw_only=True)
class Recalibration(Document):
    """A recalibration, as plain data: `docs/recalibration.md` says what each parameter is."""

    COMMAND: ClassVar[str] = "plogq recalibrate"

    family: Text
    """The name of the family; "identity" leaves the predictions as they are."""
    parameters: dict[Text, Any]
    """What the family learnt; `docs/recalibration.md` applies it."""
    classes: tuple[Text, ...]
    """The names of the classes, in the order in which the parameters have them."""
    promise: Promise
    """What it saves on rows that it was not fitted to."""

    def __post_init__(self) -> None:
        """Refuse a family that there is not, and parameters that are not those of the family."""
        if not self.classes or len(set(self.classes)) < len(self.classes):
            refuse("classes", "be different names, one or more", list(self.classes))
        check_parameters(self.family, self.parameters, len(self.classes))

    @classmethod
    def fit(
        cls, source: Any, predictions: Any = None, *, family: str | None = None, **options: Any
    ) -> Self:
        """Return the recalibration that `plogq.score.score` takes.

        Parameters
        ----------
        source, predictions
            A table of predictions and labels, or labels and probabilities, as `score` reads them.
        family
            The family to take, whatever it saves; without it, what each costs on held-out rows
            decides.
        **options
            Any other option of `score`.

        Raises
        ------
        TableError
            A ValueError of one line: which file, column and row, what was expected and what came.

        Examples
        --------
        >>> import numpy as np
        >>> rng = np.random.default_rng(0)
        >>> logits = rng.normal(0, 2, (5000, 3))
        >>> labels = np.argmax(logits + rng.gumbel(size=(5000, 3)), axis=1)
        >>> found = Recalibration.fit({"logits": 2 * logits, "labels": labels})
        >>> found.family, round(found.parameters["temperature"], 1)
        ('temperature', 2.1)
        >>> found.apply(logits=[[4.0, 0.0, 0.0]]).round(2)
        array([[0.78, 0.11, 0.11]])
        >>> Recalibration.from_json(found.to_json()) == found
        True
        """
        return cls.from_result(score(source, predictions, family=family, **options))

    @classmethod
    def from_result(cls, result: Result) -> Self:
        """Return the recalibration that a score has taken, with what it promises."""
        found = result.recalibration
        left: float | None
        saved: float | None
        if found is None or found.family == IDENTITY:
            left, saved, interval = result.cross_entropy, 0.0, None
        else:
            left, saved = result.refinement, result.miscalibration
            interval = result.intervals.get("miscalibration")
        return cls(
            family=IDENTITY if found is None else found.family,
            parameters={} if found is None else encoded(found.parameters),
            classes=result.classes,
            promise=Promise(
                cross_entropy=left,
                saved=saved,
                interval=interval,
                unit=result.unit,
                rows=result.rows,
            ),
        )

    @classmethod
    def from_json(cls, source: str | bytes | PathLike[str]) -> Self:
        """Return the recalibration that JSON holds: its text, or the path of a file of it.

        Raises
        ------
        ValueError
            It is not the JSON of a recalibration, or of another version; the message says which
            field, and what was expected.
        """
        named = f"{source}: " if isinstance(source, PathLike) else ""
        text = Path(source).read_bytes() if isinstance(source, PathLike) else source
        try:
            document = json.loads(text)
            if isinstance(document, dict) and isinstance(document.get("recalibration"), dict):
                raise ValueError(
                    f"expected the JSON of {cls.COMMAND} --save; got a score's (in Python, "
                    "Recalibration.from_result(Result.read(…)) makes one of it)"
                )
            return cls.read(document)
        except UnicodeDecodeError:
            raise ValueError(f"{named}expected JSON in UTF-8") from None
        except json.JSONDecodeError as error:
            hint = "" if named else " (of a file? then give its path as pathlib.Path)"
            raise ValueError(f"{named}expected JSON: {error}{hint}") from None
        except RecursionError:
            raise ValueError(f"{named}expected the JSON of {cls.COMMAND}") from None
        except ValueError as error:
            raise ValueError(f"{named}{error}") from None

    def apply(self, *, logits: Any = None, logprobs: Any = None, probs: Any = None) -> Array:
        """Return the recalibrated probabilities in double precision, (N, C).

        Parameters
        ----------
        logits, logprobs, probs
            The predictions, one of the three: (N, C), in the order of `classes`; (N,) or (N, 1), of
            the second of two classes; or a frame with a column for each class, named after it.

        Raises
        ------
        TableError
            A ValueError of one line: which row is no prediction, or which classes were expected.
        """
        kinds = {"logits": logits, "logprobs": logprobs, "probs": probs}
        given = {kind: x for kind, x in kinds.items() if x is not None}
        if len(given) != 1:
            came = " and ".join(given) or "none"
            refuse("predictions", "be one of logits=, logprobs= and probs=", came)
        reader = Arrays(given)
        if reader.rows == 0:
            return np.empty((0, len(self.classes)))
        opened = Unlabelled(table_of_arrays(reader)).predictions()
        placed = opened.columns.layout != "wide" and len(opened.classes) == len(self.classes)
        order = list(range(len(self.classes))) if placed else self.order_in(opened)
        parts = [self.of_batch(batch, opened.columns, order) for batch in opened.batches()]
        out: Array = np.concatenate(parts)[:, order]
        return out

    def order_in(self, opened: Predictions) -> list[int]:
        """Return where a table has each of the classes, matched by name.

        Only where the table does not name its classes, and the recalibration calls them by other
        names than 0, 1, 2 …, are they matched by place.

        Raises
        ------
        TableError
            The table has other classes.
        """
        own = opened.classes
        if set(own) != set(self.classes):
            unnamed = own == tuple(map(str, range(len(own)))) and opened.columns.layout != "wide"
            if unnamed and len(own) == len(self.classes):
                return list(range(len(own)))
            expected = f"have the classes of the calibration, {_named(self.classes)}"
            refuse(opened.path, expected, _named(own), error=TableError)
        place = {name: j for j, name in enumerate(own)}
        return [place[name] for name in self.classes]

    def of_batch(self, batch: Batch, columns: Columns, order: list[int]) -> Array:
        """Return the recalibrated probabilities of a batch, (n, C), in the table's own order."""
        if columns.kind == "logits":
            x = batch.predictions
            x = x if x.ndim == 2 else np.column_stack([np.zeros_like(x), x])
            check_logits(batch, columns.predictions, x)
            if self.family == IDENTITY:
                return softmax(x)
            log_q = log_softmax(x)
        else:
            q, surprisal = distributions(batch, columns)
            if self.family == IDENTITY:
                return q
            log_q = log_softmax(-surprisal)
        out = np.empty_like(log_q)
        # The arithmetic of a row must not depend on where its classes lie in memory.
        log_q = np.ascontiguousarray(log_q[:, order])
        out[:, order] = BY_NAME[self.family].probabilities(log_q, **self.parameters)
        return out


def _named(classes: Sequence[str]) -> str:
    return f"{len(classes)} ({few(classes)})"
