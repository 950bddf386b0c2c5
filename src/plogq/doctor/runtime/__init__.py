"""A training while it runs: what its first steps show, and what the checks of trainings say."""

from plogq.doctor.runtime.gradient_flow import GradientFlow, gradient_flow
from plogq.doctor.runtime.watch import watch

__all__ = ["GradientFlow", "gradient_flow", "watch"]
