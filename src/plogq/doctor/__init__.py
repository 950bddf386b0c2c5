"""The doctor: finds the mistakes that people make with these losses, with evidence.

`check` looks at outputs and targets, `check_table` at a table of predictions, `check_code` at
Python files and notebooks, and `watch` at a training while it runs. Nothing that is looked at is
changed. `choose` says which loss
fits a task.
"""

from plogq.doctor.check import Check, all_checks
from plogq.doctor.choices import Choice, choose
from plogq.doctor.finding import Cost, Diagnosis, Edit, Finding, Place, Unread
from plogq.doctor.runtime import GradientFlow, gradient_flow, watch
from plogq.doctor.source import check_code
from plogq.doctor.table import check_table
from plogq.doctor.values import check

__all__ = [
    "Check",
    "Choice",
    "Cost",
    "Diagnosis",
    "Edit",
    "Finding",
    "GradientFlow",
    "Place",
    "Unread",
    "all_checks",
    "check",
    "check_code",
    "check_table",
    "choose",
    "gradient_flow",
    "watch",
]
