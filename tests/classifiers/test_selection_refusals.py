"""Values and data that a choice of the penalty refuses or warns of."""

import warnings
from dataclasses import replace

import numpy as np
import pytest
import scipy.sparse
from reference_fits import left_out_losses
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import KFold

from skxent import SoftmaxClassifierCV, ZeroProbabilityWarning
from skxent.inference import leave_one_out
from skxent.likelihood.optimise.solver import minimise

CAP = -np.log(np.finfo(float).eps)
GRID = [0.01, 1.0, 100.0]


class TestGrid:
    @pytest.mark.parametrize("Cs", [10, np.int64(10)])
    def test_an_integer_means_what_it_means_in_scikit_learn(self, iris, Cs):
        clf = SoftmaxClassifierCV(Cs=Cs).fit(*iris)
        np.testing.assert_allclose(clf.Cs_, np.logspace(-4, 4, 10), rtol=1e-12)
        assert clf.loo_loss_.shape == clf.loss_standard_error_.shape == clf.n_refits_.shape == (10,)
        assert type(clf.C_) is float

    def test_values_are_sorted(self, iris):
        clf = SoftmaxClassifierCV(Cs=(3, 0.1, 3, 1)).fit(*iris)
        assert clf.Cs_.tolist() == [0.1, 1.0, 3.0]
        assert clf.Cs == (3, 0.1, 3, 1)

    @pytest.mark.parametrize(
        "Cs", [0, -1, 2.5, True, "a", None, [], [1, -1], [1, np.nan], [[1, 2]], [1e-320]]
    )
    def test_nonsense(self, iris, Cs):
        with pytest.raises(ValueError, match=r"Cs is .*: pass the number of values"):
            SoftmaxClassifierCV(Cs=Cs).fit(*iris)

    @pytest.mark.parametrize("cv", [None, 3])
    def test_no_penalty_where_classes_can_be_separated(self, iris, cv):
        clf = SoftmaxClassifierCV(Cs=[1.0, np.inf], cv=cv).fit(*iris)
        assert clf.mean_loss_[1] == np.inf
        assert clf.C_ == 1.0
        with pytest.raises(ValueError, match="no fit has a finite minimum"):
            SoftmaxClassifierCV(Cs=[np.inf], cv=cv).fit(*iris)

    @pytest.mark.parametrize("cv", [None, 3])
    def test_no_penalty_where_they_cannot(self, cv):
        rng = np.random.default_rng(0)
        X = rng.normal(size=(400, 3))
        y = (X[:, 0] + rng.logistic(size=400) > 0).astype(int)
        clf = SoftmaxClassifierCV(Cs=[1e-3, np.inf], cv=cv).fit(X, y)
        assert np.isposinf(clf.C_)
        assert clf.mean_loss_[1] < clf.mean_loss_[0]


class TestWarnings:
    def test_the_only_sample_of_a_class(self, iris):
        X, y = iris
        y = np.r_[9, y[1:]]
        with pytest.warns(ZeroProbabilityWarning, match=r"1 held-out .* 36.04 nats") as record:
            clf = SoftmaxClassifierCV(Cs=[1.0]).fit(X, y)
        assert record[0].filename == __file__
        with pytest.warns(ZeroProbabilityWarning):
            losses = left_out_losses(X, y, 1.0)
        assert losses[0] == CAP
        assert clf.loo_loss_[0] == pytest.approx(losses.mean(), rel=2e-3)

    @pytest.mark.parametrize("cv", [None, 3])
    def test_too_few_iterations(self, iris, cv):
        with pytest.warns(ConvergenceWarning, match="stopped after 1 iterations") as record:
            clf = SoftmaxClassifierCV(Cs=GRID, cv=cv, max_iter=1).fit(*iris)
        assert len(record) == 1
        assert record[0].filename == __file__
        assert not clf.converged_

    def test_fits_that_are_not_kept(self, iris, monkeypatch):
        def short(data, *, penalty, **settings):
            solution = minimise(data, penalty=penalty, **settings)
            return replace(solution, converged=penalty.alpha < 10)

        monkeypatch.setattr(leave_one_out, "minimise", short)
        with pytest.warns(ConvergenceWarning, match="1 of the fits compared") as record:
            SoftmaxClassifierCV(Cs=[*GRID, 1e4]).fit(*iris)
        assert len(record) == 1
        assert record[0].filename == __file__

    def test_none_where_nothing_is_wrong(self, iris):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            SoftmaxClassifierCV(Cs=[*GRID, 1e4]).fit(*iris)
            SoftmaxClassifierCV(Cs=[*GRID, 1e4], cv=3).fit(*iris)


class TestErrors:
    def test_leave_one_out_too_large(self):
        X = scipy.sparse.random_array((60, 3000), density=0.01, format="csr", rng=0)
        y = np.arange(60) % 3
        with pytest.raises(ValueError, match="pass cv=5"):
            SoftmaxClassifierCV(Cs=[1.0]).fit(X, y)
        assert SoftmaxClassifierCV(Cs=[1.0], cv=5).fit(X, y).converged_

    def test_folds_that_say_nothing(self, iris):
        X, y = iris
        with pytest.raises(ValueError, match="fold 0 of cv has only one class in its training"):
            SoftmaxClassifierCV(cv=[(np.arange(50), np.arange(50, 150))]).fit(X, y)
        weight = np.r_[np.zeros(50), np.ones(100)]
        with pytest.raises(ValueError, match="fold 0 of cv has no weight in its test samples"):
            SoftmaxClassifierCV(cv=KFold(3)).fit(X, y, weight)
        with pytest.raises(ValueError, match="cv gives no folds"):
            SoftmaxClassifierCV(cv=[]).fit(X, y)
        with pytest.raises(ValueError, match="groups given for a splitter, but cv is None"):
            SoftmaxClassifierCV().fit(X, y, groups=y)

    @pytest.mark.parametrize(
        "parameter",
        [
            {"one_standard_error": 1},
            {"tol": 0},
            {"max_iter": 0},
            {"n_jobs": 0},
            {"fit_intercept": "no"},
            {"verbose": -1},
        ],
        ids=str,
    )
    def test_parameters(self, iris, parameter):
        (name,) = parameter
        clf = SoftmaxClassifierCV(**parameter)
        with pytest.raises(ValueError, match=f"{name} is .*: pass"):
            clf.fit(*iris)
        assert vars(clf) == vars(clone(clf))

    def test_a_fit_that_fails_leaves_no_trace(self, iris):
        X, y = iris
        clf = SoftmaxClassifierCV(Cs=GRID).fit(X, y)
        before = dict(vars(clf))
        with pytest.raises(ValueError, match="NaN"):
            clf.fit(np.full((20, 7), np.nan), y[:20])
        assert vars(clf) == before
