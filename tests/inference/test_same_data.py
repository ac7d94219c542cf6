"""Data that are not those of the fit are said to be so, before anything else is said of them."""

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, OneHotEncoder, RobustScaler, StandardScaler

from skxent import SoftmaxClassifier, infer

OTHER = "the optimum of these data: its log-likelihood is -"
CS = [1.0, np.inf]


def raw(generate, K, seed):
    """Columns as they come: of several units, far from zero."""
    X, y = generate(200, 4, K, seed=seed)
    rng = np.random.default_rng(seed)
    return X * 10.0 ** rng.uniform(-1, 3, 4) + 10.0 ** rng.uniform(0, 3, 4), y


def message(clf, *args, error=ValueError, **settings):
    with pytest.raises(error) as caught:
        infer(clf, *args, **settings)
    return str(caught.value)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("K", [2, 3])
@pytest.mark.parametrize("C", CS)
@pytest.mark.parametrize("scaler", [StandardScaler, MinMaxScaler, RobustScaler])
def test_raw_columns_with_the_last_step_of_a_pipeline(generate, scaler, C, K, seed):
    X, y = raw(generate, K, seed)
    pipeline = make_pipeline(scaler(), SoftmaxClassifier(C=C)).fit(X, y)
    text = message(pipeline[-1], X, y)
    assert OTHER in text
    assert "of a pipeline pass the whole, infer(pipeline, X, y)" in text
    standard = scaler is StandardScaler
    assert ("The fit agrees with the standardised columns of X" in text) == standard
    scaled = pipeline[:-1].transform(X)
    clf = pipeline[-1].set_params(C=np.inf).fit(scaled, y)
    assert np.isfinite(infer(clf, scaled, y).coef).all()


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("C", CS)
def test_columns_in_another_order_or_twice(generate, C, seed):
    X, y = raw(generate, 3, seed)
    clf = SoftmaxClassifier(C=C).fit(X, y)
    for columns in ([1, 0, 2, 3], [3, 2, 1, 0], [0, 0, 2, 3], [0, 1, 1, 1]):
        for other in (X[:, columns], sp.csr_array(X[:, columns])):
            assert OTHER in message(clf, other, y)
    for other in (np.full_like(X, 7.0), np.zeros_like(X), np.roll(X, 1, axis=0)):
        assert OTHER in message(clf, other, y)
    expected = "X has 8 features, but SoftmaxClassifier is expecting 4 features as input: pass the"
    assert message(clf, np.hstack([X, X]), y).startswith(expected)
    frame = pd.DataFrame(X, columns=list("abcd"))
    assert "feature names" in message(SoftmaxClassifier(C=C).fit(frame, y), frame[list("badc")], y)


@pytest.mark.parametrize("C", CS)
def test_separable_when_raw(C):
    """Raw columns separate the classes in the eyes of coefficients that were made for others."""
    rng = np.random.default_rng(0)
    X = np.column_stack([rng.normal(size=100) * 1e4, rng.normal(size=100) * 1e-3])
    y = (X[:, 0] / 1e4 + rng.logistic(size=100) > 0).astype(int)
    pipeline = make_pipeline(StandardScaler(), SoftmaxClassifier(C=C)).fit(X, y)
    assert OTHER in message(pipeline[-1], X, y)


def test_transformed_columns_with_a_pipeline(generate):
    X, y = raw(generate, 2, 0)
    pipeline = make_pipeline(StandardScaler(), SoftmaxClassifier(C=np.inf)).fit(X, y)
    text = message(pipeline, pipeline[:-1].transform(X), y)
    assert OTHER in text
    assert "with X as it is before the first step" in text


def test_raw_text_with_the_last_step_of_a_pipeline(generate):
    X, y = raw(generate, 2, 0)
    frame = pd.DataFrame({"colour": np.where(X[:, 0] > X[:, 0].mean(), "red", "blue")})
    pipeline = make_pipeline(OneHotEncoder(drop="first"), SoftmaxClassifier()).fit(frame, y)
    with pytest.raises(ValueError, match="could not convert string") as caught:
        infer(pipeline[-1], frame.to_numpy(), y)
    assert "of a pipeline pass the whole, infer(pipeline, X, y)" in caught.value.__notes__[-1]


@pytest.mark.parametrize("C", CS)
def test_parameters_that_changed_since(generate, C):
    """The data are those of the fit, and the message does not speak of columns."""
    X, y = generate(200, 3, 3)
    clf = SoftmaxClassifier(C=C).fit(X, y).set_params(C=0.01)
    text = message(clf, X, y)
    assert "nats from the optimum of these data" in text
    assert "with the parameters of clf as they were, or fit it again" in text
    assert "Columns" not in text
