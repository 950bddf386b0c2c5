"""What the checks of values and of trainings say of a training that was watched."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType

import numpy as np

from plogq.doctor.check import TRAINING, VALUES, chosen
from plogq.doctor.finding import Diagnosis, Finding, Unread
from plogq.doctor.runtime.training import Training
from plogq.doctor.values import Values, look

NONE: Mapping[str, str] = MappingProxyType({})
START = "PQ115"  # says what an untrained model should cost, and asks whether it is one
# Compares a loss with the base rates, which the first updates are to learn; PQ213 looks at all.
SETTLED = "PQ114"
# Says that a smoothed loss is a bad figure to judge by; to train with it is no mistake.
JUDGED = "PQ120"


def diagnose(
    training: Training, values: Iterable[tuple[int, Values]], looked_at: str, *,
    untrained: bool = False, unread: Sequence[Unread] = (),
    unseen: Mapping[str, str] = NONE,
    select: Sequence[str] | None = None, ignore: Sequence[str] | None = None,
) -> Diagnosis:  # fmt: skip
    """Return what is found in a training, and in what its loss was given.

    Parameters
    ----------
    training, values
        What was seen, and what the loss was given, by the number of its call.
    looked_at
        What was looked at, in words.
    untrained
        Whether the model had not been trained before.
    unread
        What could not be looked at.
    unseen
        The checks that had nothing to look at, by code, and why.
    select, ignore
        Codes of checks, or how codes begin.
    """
    of_values, without = chosen(VALUES, select, ignore)
    looking, not_run = chosen(TRAINING, select, ignore)
    not_run |= {each.code: unseen[each.code] for each in looking if each.code in unseen}
    looking = tuple(each for each in looking if each.code not in unseen)
    found: dict[tuple[str, str], Finding] = {}
    values = list(values)
    for number, given in values:
        for each in look(given, select, ignore).findings:
            if each.code in (SETTLED, JUDGED) or (each.code == START and not untrained):
                continue
            place = f"{each.where.what} of step {number}"
            kept = replace(each, where=replace(each.where, what=place))
            found.setdefault((each.code, each.where.what), kept)
    if not values:
        without |= {each.code: "the loss is none that is known" for each in of_values}
        of_values = ()
    with np.errstate(all="ignore"):
        findings = [each for check in looking for each in check.findings(training)]
    codes = tuple(each.code for each in (*of_values, *looking))
    return Diagnosis(
        looked_at, codes, (*found.values(), *findings), {**without, **not_run}, tuple(unread)
    )
