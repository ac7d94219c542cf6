"""The losses of held-out folds, and the penalty with the least of them."""

import numpy as np
import pytest
from sklearn.datasets import load_wine
from sklearn.model_selection import GridSearchCV, GroupKFold, StratifiedKFold

import skxent
from skxent import SoftmaxClassifier, SoftmaxClassifierCV, ZeroProbabilityWarning

GRID = [0.01, 1.0, 100.0]
CAP = -np.log(np.finfo(float).eps)


class TestFolds:
    @pytest.mark.parametrize("cv", [3, StratifiedKFold(4, shuffle=True, random_state=0)])
    def test_is_a_grid_search(self, iris, cv):
        X, y = iris
        clf = SoftmaxClassifierCV(Cs=GRID, cv=cv).fit(X, y)
        search = GridSearchCV(
            SoftmaxClassifier(), {"C": GRID}, scoring=skxent.cce_scorer, cv=cv
        ).fit(X, y)
        n_folds = clf.loss_path_.shape[1]
        scores = [search.cv_results_[f"split{i}_test_score"] for i in range(n_folds)]
        np.testing.assert_allclose(clf.loss_path_, -np.transpose(scores), rtol=1e-4)
        assert search.best_params_["C"] == clf.C_
        np.testing.assert_allclose(clf.coef_, search.best_estimator_.coef_, rtol=1e-4, atol=1e-6)

    def test_folds_count_by_their_weight(self, iris):
        """The mean is that of all samples, whatever the sizes of folds."""
        X, y = iris
        weight = 1.0 + (np.arange(150) % 7)
        order = np.random.default_rng(0).permutation(150)
        folds = np.split(order, [20, 80])
        splits = [(np.setdiff1d(order, test), test) for test in folds]
        clf = SoftmaxClassifierCV(Cs=[1.0], cv=splits).fit(X, y, weight)
        total, means = 0.0, []
        for train, test in splits:
            fit = SoftmaxClassifier().fit(X[train], y[train], weight[train])
            total -= skxent.cce_sum_scorer(fit, X[test], y[test], weight[test])
            means.append(-skxent.cce_scorer(fit, X[test], y[test], weight[test]))
        assert clf.mean_loss_[0] == pytest.approx(total / weight.sum(), rel=1e-6)
        w = np.array([weight[test].sum() for test in folds])
        share = w / w.sum()  # the leverage of a fold in the mean: HC2
        variance = np.sum(share**2 * (means - clf.mean_loss_[0]) ** 2 / (1 - share))
        assert clf.loss_standard_error_[0] == pytest.approx(np.sqrt(variance), rel=1e-4)

    def test_a_class_that_a_fold_never_saw_costs_the_floor(self, iris):
        X, y = iris
        y = y.copy()
        y[[0, 75]] = 3
        train, test = np.arange(1, 150), np.array([0, 5, 6])
        splits = [(np.setdiff1d(train, [75, *test]), test)]
        with pytest.warns(ZeroProbabilityWarning, match="1 held-out samples have the largest"):
            clf = SoftmaxClassifierCV(Cs=[1.0], cv=splits).fit(X, y)
        fit = SoftmaxClassifier().fit(X[splits[0][0]], y[splits[0][0]])
        with pytest.warns(ZeroProbabilityWarning):
            score = skxent.cce_scorer(fit, X[test], y[test])
        assert clf.mean_loss_[0] == pytest.approx(-score, rel=1e-5)
        assert clf.mean_loss_[0] > CAP / 3
        assert np.isnan(clf.loss_standard_error_[0])

    def test_class_weights_of_classes_that_a_fold_lacks(self, iris):
        X, y = iris
        names = np.array(["ant", "bee", "cow"])[y]
        factors = {"ant": 2.0, "bee": 1.0, "cow": 0.5}
        splits = [(np.arange(100), np.arange(20, 120)), (np.arange(150), np.arange(0, 150, 2))]
        settings = {"class_weight": factors}
        with pytest.warns(ZeroProbabilityWarning, match="20 held-out"):
            clf = SoftmaxClassifierCV(Cs=[1.0], cv=splits, **settings).fit(X, names)
        settings = {"class_weight": {"ant": 2.0, "bee": 1.0}}
        fit = SoftmaxClassifier(**settings).fit(X[:100], names[:100])
        with pytest.warns(ZeroProbabilityWarning):
            score = skxent.cce_scorer(fit, X[20:120], names[20:120])
        assert clf.loss_path_[0, 0] == pytest.approx(-score, rel=1e-5)

    def test_groups_stay_together(self, iris):
        X, y = iris
        groups = np.arange(150) % 5
        clf = SoftmaxClassifierCV(Cs=GRID, cv=GroupKFold(5)).fit(X, y, groups=groups)
        splits = [(np.flatnonzero(groups != g), np.flatnonzero(groups == g)) for g in range(5)]
        other = SoftmaxClassifierCV(Cs=GRID, cv=splits).fit(X, y)
        np.testing.assert_allclose(np.sort(clf.loss_path_), np.sort(other.loss_path_), rtol=1e-5)

    def test_masks_are_indices(self, iris):
        X, y = iris
        even = np.arange(150) % 2 == 0
        masks = SoftmaxClassifierCV(Cs=GRID, cv=[(even, ~even), (~even, even)]).fit(X, y)
        indices = [(np.flatnonzero(a), np.flatnonzero(~a)) for a in (even, ~even)]
        same = SoftmaxClassifierCV(Cs=GRID, cv=indices).fit(X, y)
        assert np.array_equal(masks.loss_path_, same.loss_path_)

    def test_processes_change_no_bit(self, iris):
        X, y = iris
        one, two = (SoftmaxClassifierCV(Cs=GRID, cv=3, n_jobs=n).fit(X, y) for n in (1, 2))
        assert np.array_equal(one.loss_path_, two.loss_path_)


class TestOneStandardError:
    @pytest.mark.parametrize("cv", [None, 5])
    def test_is_the_strongest_penalty_within_it(self, cv):
        X, y = load_wine(return_X_y=True)
        best = SoftmaxClassifierCV(cv=cv).fit(X, y)
        careful = SoftmaxClassifierCV(cv=cv, one_standard_error=True).fit(X, y)
        i, j = np.argmin(best.mean_loss_), np.flatnonzero(careful.Cs_ == careful.C_)[0]
        bound = best.mean_loss_[i] + best.loss_standard_error_[i]
        assert best.Cs_[i] == best.C_
        assert careful.C_ < best.C_
        assert careful.mean_loss_[j] <= bound < careful.mean_loss_[j - 1]
        plain = SoftmaxClassifier(careful.C_).fit(X, y)
        np.testing.assert_allclose(careful.coef_, plain.coef_, rtol=1e-3, atol=1e-4)

    def test_one_fold_has_none(self, iris):
        split = [(np.arange(0, 150, 2), np.arange(1, 150, 2))]
        clf = SoftmaxClassifierCV(Cs=GRID, cv=split, one_standard_error=True)
        with pytest.raises(ValueError, match="one fold has no standard error"):
            clf.fit(*iris)
