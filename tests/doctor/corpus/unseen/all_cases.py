"""All unseen trainings, of every file."""

from tests.doctor.corpus.unseen import (
    healthy_loops,
    healthy_losses,
    healthy_models,
    second_healthy,
    second_sick,
    sick_layers,
    sick_loops,
    sick_losses,
)
from tests.doctor.corpus.unseen.cases import CASES

__all__ = ["CASES", "FILES"]
FILES = (
    sick_losses, sick_layers, sick_loops, healthy_losses, healthy_models, healthy_loops,
    second_sick, second_healthy,
)  # fmt: skip
