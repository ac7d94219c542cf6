"""Properties: a check of arguments that hypothesis draws, of few by default and many if slow."""

import warnings

import pytest
from hypothesis import HealthCheck, given, settings

from skxent.metrics import ZeroProbabilityWarning

PROFILE = settings(
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


@pytest.fixture(params=[20, pytest.param(150, marks=pytest.mark.slow)], ids=["few", "many"])
def for_all(request):
    """Run a check of every case that a strategy draws; `times` as many of cheap ones."""

    def run(strategy, check, times=1):
        def holds(case):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", ZeroProbabilityWarning)
                check(case)

        settings(PROFILE, max_examples=times * request.param)(given(strategy)(holds))()

    return run
