"""How Hypothesis runs here: the same examples every time, and no clock, which a shared machine would trip."""

from hypothesis import HealthCheck, settings

settings.register_profile(
    "udpchat",
    derandomize=True,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],  # a clock as well
    print_blob=True,
)
settings.load_profile("udpchat")
