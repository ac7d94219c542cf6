"""The softmax classifier whose penalty is chosen by held-out cross-entropy."""

import pickle

import numpy as np
import pandas as pd
import pytest
import scipy.sparse
import sklearn
from reference_fits import left_out_losses
from sklearn.base import clone
from sklearn.datasets import load_breast_cancer, load_digits, load_iris, load_wine
from sklearn.model_selection import LeaveOneOut
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import skxent
from skxent import SoftmaxClassifier, SoftmaxClassifierCV
from skxent.inference import leave_one_out

GRID = [0.01, 1.0, 100.0]


class TestLeaveOneOut:
    @pytest.mark.parametrize("load", [load_iris, load_wine, load_breast_cancer])
    def test_is_what_as_many_fits_say(self, load):
        X, y = load(return_X_y=True)
        rows = np.random.default_rng(0).permutation(len(y))[:150]
        X, y = X[rows], y[rows]
        clf = SoftmaxClassifierCV(Cs=[1e-3, 0.1, 10.0]).fit(X, y)
        losses = [left_out_losses(X, y, C) for C in clf.Cs_]
        np.testing.assert_allclose(clf.loo_loss_, np.mean(losses, axis=1), rtol=0.01)
        assert clf.Cs_[np.argmin(np.mean(losses, axis=1))] == clf.C_
        errors = np.std(losses, axis=1, ddof=1) / np.sqrt(len(y))
        np.testing.assert_allclose(clf.loss_standard_error_, errors, rtol=0.03)

    @pytest.mark.slow
    def test_digits(self):
        X, y = load_digits(return_X_y=True)
        rows = np.random.default_rng(1).permutation(len(y))[:120]
        X, y = X[rows], y[rows]
        clf = SoftmaxClassifierCV(Cs=[1e-3, 0.03, 100.0]).fit(X, y)
        truth = [left_out_losses(X, y, C).mean() for C in clf.Cs_]
        np.testing.assert_allclose(clf.loo_loss_, truth, rtol=0.01)
        assert clf.Cs_[np.argmin(truth)] == clf.C_

    def test_is_the_splitter_of_that_name(self, iris):
        X, y = iris
        ours = SoftmaxClassifierCV(Cs=GRID).fit(X, y)
        folds = SoftmaxClassifierCV(Cs=GRID, cv=LeaveOneOut()).fit(X, y)
        np.testing.assert_allclose(ours.mean_loss_, folds.mean_loss_, rtol=5e-3)
        np.testing.assert_allclose(ours.loss_standard_error_, folds.loss_standard_error_, rtol=0.02)
        assert folds.loss_path_.shape == (3, 150)

    def test_class_weights_count_in_fits_only(self, iris):
        """As they do where a scorer judges a fit: held-out losses have the samples' weights."""
        X, y = iris
        X, y = X[::3], y[::3]
        weight = np.linspace(0.5, 1.5, 50)
        settings = {"class_weight": {0: 1.0, 1: 4.0, 2: 1.0}}
        clf = SoftmaxClassifierCV(Cs=[1.0], **settings).fit(X, y, weight)
        losses = left_out_losses(X, y, 1.0, weight, **settings)
        assert clf.loo_loss_[0] == pytest.approx(np.average(losses, weights=weight), rel=5e-3)

    def test_the_fit_is_the_one_that_was_made(self, iris):
        X, y = iris
        clf = SoftmaxClassifierCV(Cs=GRID).fit(X, y)
        plain = SoftmaxClassifier(clf.C_, tol=1e-10).fit(X, y)
        np.testing.assert_allclose(clf.coef_, plain.coef_, rtol=1e-4, atol=1e-5)
        assert clf.objective_ == pytest.approx(plain.objective_, rel=1e-9)
        assert clf.converged_
        assert np.array_equal(clf.predict(X), plain.predict(X))

    def test_some_samples_stand_for_all(self, iris, monkeypatch):
        """What leaving out adds is estimated; the standard error says how well."""
        rng = np.random.default_rng(0)
        X = rng.normal(size=(600, 8))
        y = (X @ rng.normal(size=(8, 3)) + rng.gumbel(size=(600, 3))).argmax(axis=1)
        whole = SoftmaxClassifierCV(Cs=GRID).fit(X, y)
        monkeypatch.setattr(leave_one_out, "LEAST", 60)
        monkeypatch.setattr(leave_one_out, "WORK", 1.0)
        few = [SoftmaxClassifierCV(Cs=GRID, random_state=seed).fit(X, y) for seed in range(12)]
        assert whole.n_left_out_ == 600
        assert few[0].n_left_out_ == 60
        means = np.array([clf.loo_loss_ for clf in few])
        # A tenth of the samples, and the error is far below that of a mean of so few losses.
        spread = np.sqrt(np.mean((means - whole.loo_loss_) ** 2, axis=0))
        assert (spread > 0).all()
        assert (spread < 0.3 * whole.loss_standard_error_).all()
        for clf in few:
            ratio = clf.loss_standard_error_ / whole.loss_standard_error_
            assert (ratio > 0.7).all()
            assert (ratio < 1.5).all()
        again = SoftmaxClassifierCV(Cs=GRID, random_state=3).fit(X, y)
        assert np.array_equal(again.loo_loss_, few[3].loo_loss_)


<<<<<<< HEAD
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
        variance = 3 / 2 * np.sum(w**2 * (means - clf.mean_loss_[0]) ** 2) / w.sum() ** 2
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


=======
>>>>>>> e0bd01e (Tests of classifiers are split by what they assert; helpers are in tests/support)
class TestForms:
    """Whatever form the data have, they are the same data."""

    @pytest.mark.parametrize("cv", [None, 3])
    @pytest.mark.parametrize(
        "form",
        [
            np.asfortranarray,
            lambda X: X.astype(np.float32),
            scipy.sparse.csr_array,
            scipy.sparse.csc_matrix,
            pd.DataFrame,
            np.ndarray.tolist,
        ],
        ids=["Fortran", "float32", "CSR array", "CSC matrix", "frame", "list"],
    )
    def test_features(self, iris, form, cv):
        X, y = iris
        plain = SoftmaxClassifierCV(Cs=GRID, cv=cv).fit(X, y)
        other = SoftmaxClassifierCV(Cs=GRID, cv=cv).fit(form(X), y)
        np.testing.assert_allclose(other.mean_loss_, plain.mean_loss_, rtol=1e-4)
        assert other.C_ == plain.C_

    def test_read_only_and_unsorted(self, iris):
        X, y = iris
        X = X.copy()
        X.flags.writeable = False
        SoftmaxClassifierCV(Cs=GRID).fit(X, y)
        sparse = scipy.sparse.csr_array(X)[:, [3, 2, 1, 0]]
        sparse.has_sorted_indices = False
        before = sparse.indices.copy()
        SoftmaxClassifierCV(Cs=GRID).fit(sparse, y)
        assert np.array_equal(sparse.indices, before)

    @pytest.mark.parametrize("cv", [None, 3])
    def test_targets(self, iris, cv):
        X, y = iris
        plain = SoftmaxClassifierCV(Cs=GRID, cv=cv).fit(X, y)
        names = np.array(["ant", "bee", "cow"])
        for labels in (names[y], names.astype(object)[y], pd.Series(names[y])):
            other = SoftmaxClassifierCV(Cs=GRID, cv=cv).fit(X, labels)
            assert np.array_equal(other.mean_loss_, plain.mean_loss_)
            assert other.predict(X[:1]).tolist() == ["ant"]
        soft = SoftmaxClassifierCV(Cs=GRID, cv=cv).fit(X, np.eye(3)[y], classes=names[::-1])
        np.testing.assert_allclose(soft.mean_loss_, plain.mean_loss_, rtol=1e-4)
        assert soft.classes_.tolist() == ["cow", "bee", "ant"]

    def test_soft_targets_cost_their_cross_entropy(self, iris):
        X, y = iris
        Y = 0.7 * np.eye(3)[y] + 0.1
        loo = SoftmaxClassifierCV(Cs=[1.0]).fit(X, Y)
        by_folds = SoftmaxClassifierCV(Cs=[1.0], cv=LeaveOneOut()).fit(X, Y)
        assert loo.loo_loss_[0] == pytest.approx(by_folds.mean_loss_[0], rel=1e-4)
        assert loo.loo_loss_[0] > skxent.entropy(Y).mean()

    def test_more_features_than_samples(self):
        rng = np.random.default_rng(0)
        X = rng.normal(size=(45, 150))
        y = (X @ rng.normal(size=(150, 3)) / 4 + rng.gumbel(size=(45, 3))).argmax(axis=1)
        clf = SoftmaxClassifierCV(Cs=[1e-4, 1e-2, 1.0]).fit(X, y)
        truth = [left_out_losses(X, y, C).mean() for C in clf.Cs_]
        np.testing.assert_allclose(clf.loo_loss_, truth, rtol=0.02)
        assert clf.coef_.shape == (3, 150)
        assert clf.log_likelihood(X, y) == pytest.approx(clf.log_likelihood_, rel=1e-6)

    def test_two_classes_have_one_logit(self):
        X, y = load_breast_cancer(return_X_y=True)
        clf = SoftmaxClassifierCV(Cs=[0.1, 10.0]).fit(X, y)
        assert clf.coef_.shape == (1, 30)
        assert clf.decision_function(X).shape == (569,)


class TestContract:
    def test_clone_pickle_and_print(self, iris):
        X, y = iris
        clf = SoftmaxClassifierCV(Cs=GRID, one_standard_error=True).fit(X, y)
        assert repr(clf) == "SoftmaxClassifierCV(Cs=[0.01, 1.0, 100.0], one_standard_error=True)"
        again = pickle.loads(pickle.dumps(clf))
        assert np.array_equal(again.predict_log_proba(X), clf.predict_log_proba(X))
        assert clone(clf).get_params() == clf.get_params()

    def test_attributes_are_those_of_the_last_fit(self, iris):
        clf = SoftmaxClassifierCV(Cs=GRID).fit(*iris)
        assert np.array_equal(clf.loo_loss_, clf.mean_loss_)
        assert not hasattr(clf, "loss_path_")
        clf.set_params(cv=3).fit(*iris)
        assert not hasattr(clf, "loo_loss_")
        assert not hasattr(clf, "n_left_out_")
        assert clf.loss_path_.shape == (3, 3)

    def test_to_sklearn(self, iris):
        X, y = iris
        clf = SoftmaxClassifierCV(Cs=GRID, class_weight="balanced").fit(X, y)
        model = clf.to_sklearn()
        assert model.C == clf.C_
        assert model.class_weight == "balanced"
        np.testing.assert_allclose(model.predict_proba(X), clf.predict_proba(X), atol=1e-12)

    def test_takes_no_callbacks(self):
        assert not hasattr(SoftmaxClassifierCV(), "set_callbacks")

    def test_verbose(self, iris, capsys):
        SoftmaxClassifierCV(Cs=GRID, verbose=1).fit(*iris)
        lines = capsys.readouterr().out.splitlines()
        assert len(lines) == 3
        assert lines[1].startswith("[SoftmaxClassifierCV] C=1: 0.129")

    def test_pipeline_with_weights(self, iris):
        X, y = iris
        weight = np.linspace(1, 2, 150)
        with sklearn.config_context(enable_metadata_routing=True):
            clf = SoftmaxClassifierCV(Cs=GRID).set_fit_request(sample_weight=True)
            scaler = StandardScaler().set_fit_request(sample_weight=False)
            pipe = make_pipeline(scaler, clf).fit(X, y, sample_weight=weight)
        direct = SoftmaxClassifierCV(Cs=GRID).fit(StandardScaler().fit_transform(X), y, weight)
        assert np.array_equal(pipe[-1].loo_loss_, direct.loo_loss_)

    def test_names_of_features(self, iris):
        X, y = iris
        clf = SoftmaxClassifierCV(Cs=GRID).fit(pd.DataFrame(X, columns=list("abcd")), y)
        assert clf.feature_names_in_.tolist() == list("abcd")
        assert clf.n_features_in_ == 4
