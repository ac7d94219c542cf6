"""Linear programmes whose solutions are known, and their limits."""

import numpy as np
import pytest
import scipy.sparse
from scipy.optimize import OptimizeResult

from skxent.likelihood import tuning
from skxent.likelihood.existence import programmes
from skxent.likelihood.existence.programmes import Programmes, Undecided

COST = np.array([-1.0, -2.0])
ROWS = scipy.sparse.csr_array([[-1.0, -1.0], [1.0, -3.0], [5.0, 1.0]])


def solve(lower, equal=(False, False, False), bounds=(0, 10)):
    return Programmes().solve(COST, ROWS, np.array(lower), np.array(equal), bounds)


def test_the_least_cost():
    """x + y <= 4, y <= x / 3 and 0 <= x, y: (3, 1); without the second (0, 4)."""
    np.testing.assert_allclose(solve([-4.0, 0.0, -np.inf]), [3, 1])
    np.testing.assert_allclose(solve([-4.0, -np.inf, -np.inf]), [0, 4], atol=1e-12)
    np.testing.assert_allclose(solve([-4.0, 0.0, 16.5]), [3.125, 0.875])
    np.testing.assert_allclose(solve([-np.inf] * 3, bounds=(0, 2)), [2, 2])


def test_equalities():
    np.testing.assert_allclose(solve([-4.0, 0.0, 8.0], (False, False, True)), [1.5, 0.5])
    np.testing.assert_allclose(solve([-4.0, -12.0, 4.0], (True, False, True)), [0, 4], atol=1e-12)


def test_no_solution():
    assert solve([-4.0, 0.0, 50.0]) is None


def test_a_programme_without_an_end_is_undecided():
    with pytest.raises(Undecided, match="HiGHS failed"):
        solve([-np.inf] * 3, bounds=(0, None))


@pytest.mark.parametrize("status", [1, 3, 4])
def test_each_way_has_its_turn(status, monkeypatch):
    """With tight tolerances first, all ways, then with loose ones."""
    calls = []

    def fails(*args, method, options, **settings):
        calls.append((options["primal_feasibility_tolerance"], method))
        assert options["dual_feasibility_tolerance"] == options["primal_feasibility_tolerance"]
        assert 0 < options["time_limit"] <= tuning.PROGRAMME_SECONDS
        assert options["maxiter"] == tuning.PROGRAMME_ITERATIONS * (3 + 2)
        return OptimizeResult(x=None, status=status, message="no luck")

    monkeypatch.setattr(programmes, "linprog", fails)
    with pytest.raises(Undecided, match="no luck"):
        solve([-4.0, 0.0, -np.inf])
    methods = [method for method, _ in programmes.WAYS]
    assert calls == [(tol, method) for tol in programmes.TOLERANCES for method in methods]


def test_the_clock_of_all_programmes(monkeypatch):
    clock = [100.0]
    monkeypatch.setattr(programmes, "thread_time", lambda: clock[0])
    some = Programmes()
    arguments = COST, ROWS, np.array([-4.0, 0.0, -np.inf]), np.zeros(3, dtype=bool), (0, 10)
    clock[0] += 0.999 * tuning.PROGRAMME_SECONDS
    np.testing.assert_allclose(some.solve(*arguments), [3, 1])
    clock[0] = 100.0 + tuning.PROGRAMME_SECONDS
    with pytest.raises(Undecided, match="took more than 20 seconds"):
        some.solve(*arguments)
