"""Hypothesis without a clock: speed is measured under benchmarks/, and asserted nowhere."""

from hypothesis import HealthCheck, settings

settings.register_profile("plogq", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("plogq")
