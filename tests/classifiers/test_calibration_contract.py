"""What scikit-learn asks of every classifier, of a calibrator.

The X of a calibrator is a matrix of predictions, with a column for each class of y. Many checks of
scikit-learn have an X with other columns. They must fail, with an error that says so.
"""

import pickle

import numpy as np
import pytest
import sklearn
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils.estimator_checks import parametrize_with_checks

import skxent
from skxent import LogitCalibrator

METHODS = ["temperature", "bias", "vector", "matrix"]
ESTIMATORS = [LogitCalibrator(method, from_logits=True) for method in METHODS]
ESTIMATORS += [LogitCalibrator(method, C=np.inf, from_logits=True) for method in METHODS]
# In `check_classifiers_train` two features of two classes are no good logits of these classes.
OTHER_COLUMNS = {
    "check_all_zero_sample_weights_error",
    "check_array_api_input",
    "check_classifiers_classes",
    "check_dtype_object",
    "check_estimators_dtypes",
    "check_estimators_fit_returns_self",
    "check_estimators_nan_inf",
    "check_estimators_overwrite_params",
    "check_estimators_pickle",
    "check_n_features_in_after_fitting",
    "check_pipeline_consistency",
    "check_positive_only_tag_during_fit",
    "check_readonly_memmap_input",
    "check_sample_weight_equivalence_on_dense_data",
}
checks = parametrize_with_checks(ESTIMATORS)
names, cases = checks.args


def name_of(check):
    return getattr(check, "func", check).__name__


@pytest.mark.filterwarnings("ignore:LogitCalibrator. no finite optimum")  # 2026-11, random labels
@pytest.mark.filterwarnings("ignore:LogitCalibrator. y has no samples with a weight")  # 2026-11
@pytest.mark.parametrize(names, list(cases), **checks.kwargs)
@pytest.mark.thinned(6)
def test_check_estimator(estimator, check):
    if name_of(check) == "check_classifiers_train":
        with pytest.raises((AssertionError, ValueError)):
            check(estimator)
        return
    if name_of(check) not in OTHER_COLUMNS:
        check(estimator)
        return
    with pytest.raises((ValueError, AssertionError)) as error:
        check(estimator)
    raised = error.value
    while raised is not None and "X has predictions of" not in str(raised):
        raised = raised.__context__
    assert raised is not None, error.value


def test_clone_and_repr():
    changed = clone(LogitCalibrator()).set_params(method="vector", from_logits=True, tol=1e-3)
    assert repr(clone(changed)) == "LogitCalibrator(from_logits=True, method='vector', tol=0.001)"
    assert repr(LogitCalibrator()) == "LogitCalibrator()"
    assert "method" in changed._repr_html_()


@pytest.fixture(scope="module")
def predictions():
    rng = np.random.default_rng(0)
    Z = rng.normal(size=(300, 3))
    y = np.array(["a", "b", "c"])[(Z + rng.gumbel(size=(300, 3))).argmax(axis=1)]
    return 2 * Z + [1.0, 0.0, -1.0], y


@pytest.mark.parametrize("method", METHODS)
def test_pickle(predictions, method):
    Z, y = predictions
    calibrator = LogitCalibrator(method, from_logits=True).fit(Z, y)
    again = pickle.loads(pickle.dumps(calibrator))
    assert np.array_equal(again.predict_log_proba(Z), calibrator.predict_log_proba(Z))


def test_search_and_pipeline(predictions):
    Z, y = predictions
    halved = FunctionTransformer(lambda Z: Z / 2)
    pipe = make_pipeline(halved, LogitCalibrator(from_logits=True))
    grid = {"logitcalibrator__method": METHODS}
    search = GridSearchCV(pipe, grid, scoring=skxent.cce_scorer, cv=3).fit(Z, y)
    scores = dict(zip(METHODS, search.cv_results_["mean_test_score"], strict=True))
    # The truth was drawn with biases: no other method is better beyond noise.
    assert scores["bias"] > search.best_score_ - 1e-3
    assert scores["temperature"] < scores["bias"] - 0.02


def test_metadata_routing(predictions):
    Z, y = predictions
    weight = 1.0 + (np.arange(300) % 3 == 0)
    with sklearn.config_context(enable_metadata_routing=True):
        calibrator = LogitCalibrator(from_logits=True).set_fit_request(
            sample_weight=True, classes=True
        )
        pipe = make_pipeline(calibrator)
        pipe.fit(Z, y, sample_weight=weight, classes=["a", "b", "c"])
    direct = LogitCalibrator(from_logits=True).fit(Z, y, weight)
    plain = LogitCalibrator(from_logits=True).fit(Z, y)
    assert pipe[-1].slope_[0] == direct.slope_[0] != plain.slope_[0]
