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
