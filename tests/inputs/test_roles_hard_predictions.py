"""Hard predictions where probabilities are expected: the warning or error names the cure."""

import warnings

import numpy as np
import pandas as pd
import pytest

from skxent import LossDistributionDisplay, LossShareDisplay, ReliabilityDisplay
from skxent.metrics import (
    ZeroProbabilityWarning,
    binary_cross_entropy,
    categorical_cross_entropy,
    cce_scorer,
    compare,
    cross_entropy_report,
    decompose_cross_entropy,
)

NAMES = np.array(["ant", "bee", "cow"])
RNG = np.random.default_rng(0)
TRUTH = np.tile([0, 1, 2], 20)
FOUND = np.where(RNG.random(60) < 0.3, (TRUTH + 1) % 3, TRUTH)
ADVICE = (
    "Every entry of y_pred is 0 or 1. These look like hard predictions: pass probabilities, as "
    "predict_proba gives them."
)
LABELS = "y_pred holds labels: pass probabilities, as predict_proba gives them."
FORMS = {
    "float": lambda rows: rows,
    "int": lambda rows: rows.astype(int),
    "bool": lambda rows: rows.astype(bool),
    "list": lambda rows: rows.astype(int).tolist(),
    "objects": lambda rows: rows.astype(int).astype(object),
    "frame": lambda rows: pd.DataFrame(rows, columns=NAMES[: rows.shape[1]]),
    "dummies": lambda rows: pd.DataFrame(rows.astype(bool), columns=NAMES[: rows.shape[1]]),
}
FUNCTIONS = {
    "loss": categorical_cross_entropy,
    "report": cross_entropy_report,
    "decomposition": decompose_cross_entropy,
    "losses": LossDistributionDisplay.from_predictions,
    "shares": LossShareDisplay.from_predictions,
    "reliability": ReliabilityDisplay.from_predictions,
}


def texts_of(function, *arguments, **options):
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        function(*arguments, **options)
    return [str(each.message) for each in found if each.category is ZeroProbabilityWarning]


@pytest.fixture(params=FUNCTIONS)
def function(request):
    if request.param in ("losses", "shares", "reliability"):
        pytest.importorskip("matplotlib")
    return FUNCTIONS[request.param]


@pytest.mark.parametrize(("form", "K"), [*((form, 3) for form in FORMS), ("int", 2)])
def test_one_hot_rows(function, form, K):
    rows = np.eye(K)[FOUND % K]
    (text,) = texts_of(function, NAMES[TRUTH % K], FORMS[form](rows))
    assert text.endswith(ADVICE) and text.count("predict_proba") == 1


@pytest.mark.parametrize("dtype", [int, bool, float, np.int8])
@pytest.mark.parametrize("loss", [categorical_cross_entropy, binary_cross_entropy])
def test_labels_of_two_classes(loss, dtype):
    (text,) = texts_of(loss, TRUTH % 2, (FOUND % 2).astype(dtype))
    assert text.endswith(ADVICE)


def test_independent_outcomes_and_two_columns():
    events, found = np.eye(3)[TRUTH], np.eye(3)[FOUND]
    for y, p in ((events, found), (TRUTH % 2, np.eye(2)[FOUND % 2])):
        (text,) = texts_of(binary_cross_entropy, y, p)
        assert text.endswith(ADVICE)


@pytest.mark.parametrize("change", [1e-300, 0.1])
def test_one_probability_between_is_no_hard_prediction(function, change):
    rows = np.eye(3)[FOUND]
    rows[-1] = [change, 1.0 - change, 0.0] if change > 1e-16 else [change, 1.0, 0.0]
    (text,) = texts_of(function, TRUTH, rows)
    assert "predict_proba" not in text


def test_rows_of_later_blocks_are_looked_at():
    rows, truth = np.tile(np.eye(2), (40_000, 1)), np.ones(80_000, dtype=int)
    truth[1] = 0
    assert texts_of(categorical_cross_entropy, truth, rows)[0].endswith(ADVICE)
    rows[-1] = 0.5
    assert "predict_proba" not in texts_of(categorical_cross_entropy, truth, rows)[0]


@pytest.mark.parametrize("form", FORMS)
def test_right_everywhere_costs_nothing(form):
    assert categorical_cross_entropy(NAMES[TRUTH], FORMS[form](np.eye(3)[TRUTH])) == 0.0
    assert binary_cross_entropy(TRUTH % 2, TRUTH % 2) == 0.0


def test_a_comparison_names_the_hard_one():
    soft = np.full((60, 3), 1 / 3)
    preds = {"tree": np.eye(3)[FOUND], "rates": soft}
    (text,) = texts_of(compare, TRUTH, preds, baseline="rates")
    assert text.endswith(ADVICE.replace("y_pred", "y_preds['tree']"))


@pytest.mark.parametrize("found", [FOUND, FOUND.astype(float), NAMES[FOUND], FOUND % 2])
@pytest.mark.parametrize("truth", [TRUTH, np.eye(3)[TRUTH]], ids=["labels", "rows"])
def test_labels_of_three_classes_are_refused(function, truth, found):
    with pytest.raises(ValueError) as error:
        function(truth, found)
    assert str(error.value).endswith(LABELS)


def test_errors_about_weights_say_nothing_of_labels():
    with pytest.raises(ValueError, match="sample_weight") as error:
        binary_cross_entropy([0, 1], [2, -3], from_logits=True, sample_weight=[1.0, -1.0])
    assert "predict_proba" not in str(error.value)


def test_scorers_have_asked_for_predict_proba():
    class Certain:
        classes_ = np.arange(3)

        def predict_proba(self, X):
            return np.eye(3)[FOUND]

    (text,) = texts_of(cce_scorer, Certain(), np.zeros((60, 1)), TRUTH)
    assert "predict_proba" not in text


@pytest.mark.parametrize("soft_row", [False, True])
def test_partitions(soft_row):
    da = pytest.importorskip("dask.array")
    rows = np.eye(3)[FOUND]
    rows[:20] = np.eye(3)[TRUTH[:20]]  # a partition that is right everywhere
    if soft_row:
        rows[0] = [0.5, 0.5, 0.0]
    lazy = da.from_array(rows, chunks=(20, 3))
    (text,) = texts_of(categorical_cross_entropy, da.from_array(TRUTH, chunks=20), lazy)
    assert text.endswith(ADVICE) is not soft_row


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
def test_every_reduction(reduction):
    options = {"reduction": reduction}
    (text,) = texts_of(categorical_cross_entropy, TRUTH, np.eye(3)[FOUND], **options)
    assert text.endswith(ADVICE)
