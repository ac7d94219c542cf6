"""The tests of the engine fit small data by the search; `test_small_fits` has the short way."""

import pytest

from skxent.likelihood.optimise import solver


@pytest.fixture(autouse=True)
def searches(monkeypatch):
    """Let every fit be a search, however small the data are."""
    monkeypatch.setattr(solver, "fit_small", lambda *arguments: None)
