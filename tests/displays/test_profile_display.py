"""The curve is that of `profile`, and intervals end where it crosses the lines of the level."""

import numpy as np
import pytest

from skxent import ProfileDisplay, SoftmaxClassifier, infer


@pytest.fixture(scope="module")
def inference(generate):
    X, y = generate(60, 2, 3, seed=3)
    return infer(SoftmaxClassifier(C=np.inf).fit(X, y), X, y)


@pytest.mark.parametrize("level", [0.95, 0.5])
def test_lines_cross_at_the_ends_of_intervals(inference, axes, level):
    display = ProfileDisplay.from_inference(inference, "x1", 2, level=level, ax=axes())
    quantiles = [line.get_ydata()[0] for line in display.level_lines_]
    for line, method in ((display.profile_line_, "profile"), (display.wald_line_, "wald")):
        ends = np.interp(quantiles, line.get_ydata(), line.get_xdata())
        expected = inference.confint(level, method)[1, 1]
        assert ends == pytest.approx(expected, abs=1e-2 * np.ptp(expected))
    assert display.ax_.get_xlabel() == "coefficient of x1, 2 vs 0"
    labels = [text.get_text() for text in display.ax_.get_legend().get_texts()]
    assert labels == ["profile likelihood", "Wald", f"{100 * level:g} % interval"]


def test_options_of_the_line(inference, axes):
    curve = inference.profile("intercept", 1, n_points=3)
    display = ProfileDisplay(curve).plot(axes(), color="red", label="ours")
    assert display.profile_line_.get_color() == "red"
    np.testing.assert_array_equal(display.profile_line_.get_xdata(), curve.values)
    np.testing.assert_array_equal(display.profile_line_.get_ydata(), curve.signed_root)


def test_refused(inference, axes):
    with pytest.raises(TypeError, match=r"inference is a NoneType: pass what skxent\.infer"):
        ProfileDisplay.from_inference(None, "x1")
    with pytest.raises(ValueError, match="contrast is None: pass one of"):
        ProfileDisplay.from_inference(inference, "x1", ax=axes())
    with pytest.raises(ValueError, match="level is 2"):
        ProfileDisplay.from_inference(inference, "x1", 2, level=2, ax=axes())
