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
    third_healthy_loops,
    third_healthy_models,
    third_sick_layers,
    third_sick_loops,
)
from tests.doctor.corpus.unseen.cases import CASES

__all__ = ["CASES", "FILES"]
FILES = (
    sick_losses, sick_layers, sick_loops, healthy_losses, healthy_models, healthy_loops,
    second_sick, second_healthy, third_sick_layers, third_sick_loops, third_healthy_models,
    third_healthy_loops,
)  # fmt: skip
