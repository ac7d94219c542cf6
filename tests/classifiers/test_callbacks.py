"""scikit-learn's callbacks, where it has any."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_digits, load_wine
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

import skxent
from skxent import SoftmaxClassifier
from skxent.likelihood.optimise.small_samples import Samples

callback = pytest.importorskip("sklearn.callback", reason="new in scikit-learn 1.9")

# The estimators of scikit-learn say that callbacks are experimental.
pytestmark = pytest.mark.filterwarnings("ignore:.*callback.*experimental")


class Recorder:
    """Counts the tasks, looks at the fitted estimator, and stops after some iterations."""

    def __init__(self, stop_after=np.inf, look=False):
        self.stop_after = stop_after
        self.look = look
        self.events = []
        self.objectives = []
        self.ended = 0

    def setup(self, estimator, context):
        self.events.append("setup")

    def teardown(self, estimator, context):
        self.events.append("teardown")

    def on_fit_task_begin(self, estimator, context):
        self.events.append(f"begin {context.task_name}")

    def on_fit_task_end(self, estimator, context, *, X, y, fitted_estimator):
        self.events.append(f"end {context.task_name}")
        if context.task_name != "iteration" or fitted_estimator is None:
            return False
        self.ended += 1
        penalty = np.sum(fitted_estimator.coef_**2) / 2 / estimator.C
        self.objectives.append(penalty - fitted_estimator.log_likelihood(X, y))
        return self.ended >= self.stop_after


@pytest.fixture
def wine():
    return load_wine(return_X_y=True)


def test_tasks_of_a_fit(wine):
    recorder = Recorder()
    clf = SoftmaxClassifier().set_callbacks(recorder).fit(*wine)
    assert recorder.events[0] == "setup"
    assert recorder.events[-1] == "teardown"
    # One more begins than are run, as in LogisticRegression.
    assert recorder.events[2:-2] == ["begin iteration", "end iteration"] * (clf.n_iter_ + 1)
    # A callback sees the estimator as it would be if the fit had stopped there.
    np.testing.assert_allclose(recorder.objectives, clf.objective_curve_[:, 1], rtol=1e-9)


class Watcher(Recorder):
    """Keeps what the hooks are given."""

    def __init__(self):
        self.begun, self.ended = [], []

    def setup(self, estimator, context):
        pass

    teardown = setup

    def on_fit_task_begin(self, estimator, context, *, X, y, metadata, fitted_estimator):
        self.begun.append((context.task_name == "fit", X, y, metadata, fitted_estimator))

    def on_fit_task_end(self, estimator, context, *, X, y, metadata, fitted_estimator):
        self.ended.append((context.task_name == "fit", X, y, metadata, fitted_estimator))


def given(event):
    """Which of its arguments a hook got."""
    is_fit, *values = event
    return is_fit, *(value is not None for value in values)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("n_iter", [1, 4])
def test_hooks_get_what_logistic_regression_gives_them(wine, weighted, n_iter):
    X, y = StandardScaler().fit_transform(wine[0]), wine[1]
    weight = {"sample_weight": np.linspace(1, 2, len(y))} if weighted else {}
    seen = []
    for clf in (SoftmaxClassifier(max_iter=n_iter), LogisticRegression(max_iter=n_iter)):
        watcher = Watcher()
        with pytest.warns(ConvergenceWarning):
            clf.set_callbacks(watcher).fit(X, y, **weight)
        seen.append(watcher)
    ours, rival = seen
    assert [*map(given, ours.begun)] == [*map(given, rival.begun)]
    assert [*map(given, ours.ended)] == [*map(given, rival.ended)]
    for _, X_seen, y_seen, metadata, _ in ours.begun:
        assert X_seen is X
        assert y_seen is y
        assert metadata == (weight or None)


@pytest.mark.parametrize("K", [2, 3])
@pytest.mark.parametrize("warm_start", [False, True])
def test_an_iteration_begins_where_the_last_one_ended(wine, K, warm_start):
    X, y = wine[0], np.minimum(wine[1], K - 1)
    clf = SoftmaxClassifier(max_iter=2, warm_start=warm_start)
    with pytest.warns(ConvergenceWarning):
        clf.fit(X, y)
    before = clf.coef_ if warm_start else np.zeros_like(clf.coef_)
    watcher = Watcher()
    clf.set_params(max_iter=1000).set_callbacks(watcher).fit(X, y)
    begun = [event[-1] for event in watcher.begun if not event[0]]
    ended = [event[-1] for event in watcher.ended if not event[0]]
    assert len(begun) == len(ended) == clf.n_iter_ + 1
    assert ended[-1] is None
    assert np.array_equal(begun[0].coef_, before)
    assert begun[0].predict_proba(X).shape == (len(y), K)
    for start, end in zip(begun[1:], ended[:-1], strict=True):
        assert np.array_equal(start.coef_, end.coef_)
        assert np.array_equal(start.intercept_, end.intercept_)


def test_a_task_begins_before_its_work_and_ends_after_it(wine, monkeypatch):
    """So the time between the two is that of the iteration."""
    recorder = Recorder()
    original = Samples.at

    def evaluated(*arguments):
        recorder.events.append("evaluation")
        return original(*arguments)

    monkeypatch.setattr(Samples, "at", evaluated)
    SoftmaxClassifier().set_callbacks(recorder).fit(*wine)
    first = recorder.events.index("begin iteration")
    assert "evaluation" in recorder.events[first : recorder.events.index("end iteration")]


@pytest.mark.parametrize("n_iter", [0, 1, 2, 3, 5])
def test_there_is_room_for_every_iteration(wine, n_iter):
    """Callbacks are told how many iterations there may be; one more would be an error."""
    recorder = Recorder()
    with pytest.warns(ConvergenceWarning):
        clf = SoftmaxClassifier(max_iter=n_iter).set_callbacks(recorder).fit(*wine)
    assert clf.n_iter_ == n_iter
    assert recorder.events.count("begin iteration") == n_iter + 1


def test_callbacks_change_nothing(wine):
    plain = SoftmaxClassifier().fit(*wine)
    watched = SoftmaxClassifier().set_callbacks(Recorder()).fit(*wine)
    assert np.array_equal(watched.coef_, plain.coef_)
    assert watched.n_passes_ == plain.n_passes_


@pytest.mark.parametrize("stop_after", [1, 3])
def test_a_callback_stops_the_fit(wine, stop_after):
    """On purpose, so without a warning; what was reached is kept, with its gap."""
    recorder = Recorder(stop_after=stop_after)
    clf = SoftmaxClassifier().set_callbacks(recorder).fit(*wine)
    assert clf.n_iter_ == stop_after
    assert not clf.converged_
    assert clf.optimality_gap_ > 1e-6
    assert clf.objective_ == pytest.approx(recorder.objectives[-1], rel=1e-9)
    assert "teardown" in recorder.events


def test_an_error_in_a_callback_gets_out(wine):
    class Fails(Recorder):
        def on_fit_task_end(self, estimator, context):
            raise KeyboardInterrupt("now")

    fails = Fails()
    clf = SoftmaxClassifier().set_callbacks(fails)
    with pytest.raises(KeyboardInterrupt, match="now"):
        clf.fit(*wine)
    assert fails.events[-1] == "teardown"
    assert not hasattr(clf, "coef_")
    assert not hasattr(clf, "n_features_in_")


def test_scoring_monitor(wine):
    X, y = wine
    monitor = callback.ScoringMonitor(scoring={"cce": skxent.cce_scorer})
    clf = SoftmaxClassifier().set_callbacks(monitor).fit(X, y)
    (log,) = monitor.get_logs() if isinstance(monitor.get_logs(), list) else [monitor.get_logs()]
    scores = log.data_as_pandas["cce"].to_numpy()
    assert len(scores) >= clf.n_iter_
    assert scores[-1] == pytest.approx(skxent.cce_scorer(clf, X, y), abs=1e-6)


def test_scoring_monitor_with_weights(wine):
    X, y = wine
    weight = 1.0 + np.arange(len(y)) % 3
    monitor = callback.ScoringMonitor(scoring={"cce": skxent.cce_scorer})
    SoftmaxClassifier().set_callbacks(monitor).fit(X, y, sample_weight=weight)


def test_progress_bar(capsys):
    pytest.importorskip("rich")
    X, y = load_digits(return_X_y=True)
    SoftmaxClassifier().set_callbacks(callback.ProgressBar()).fit(X, y)
    assert "SoftmaxClassifier" in capsys.readouterr().out


def test_nothing_is_called_when_none_is_set(wine, monkeypatch):
    def never(*arguments, **keywords):
        raise AssertionError("no callback is set")

    monkeypatch.setattr(SoftmaxClassifier, "_init_callback_context", never)
    clf = SoftmaxClassifier().fit(*wine)
    assert clf._report(clf.classes_, None) is None


def test_clone_keeps_callbacks_and_fits(wine):
    clf = clone(SoftmaxClassifier().set_callbacks(Recorder()))
    assert clf.fit(*wine).converged_


class Keeper(Recorder):
    """Keeps the parameters that each iteration ended with."""

    def __init__(self):
        super().__init__()
        self.seen = []

    def on_fit_task_end(self, estimator, context, *, X, y, fitted_estimator):
        if context.task_name == "iteration" and fitted_estimator is not None:
            self.seen.append((fitted_estimator.coef_.copy(), fitted_estimator.intercept_.copy()))
        return False


@pytest.mark.parametrize(
    "settings", [{}, {"C": 1e4}, {"tol": 1e-10}, {"tol": 1e-2}, {"max_iter": 3}]
)
@pytest.mark.parametrize("shape", [(60, 3, 2), (30, 50, 3), (600, 25, 8), (300, 4, 4)], ids=str)
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_the_last_iteration_ends_with_the_parameters_of_the_fit(generate, shape, settings):
    X, y = generate(*shape)
    keeper = Keeper()
    clf = SoftmaxClassifier(**settings).set_callbacks(keeper).fit(X, y)
    coef, intercept = keeper.seen[-1]
    assert np.array_equal(coef, clf.coef_)
    assert np.array_equal(intercept, clf.intercept_)
    assert len(keeper.seen) == clf.n_iter_ == len(clf.objective_curve_)
    assert clf.objective_curve_[-1, 1] == clf.objective_
