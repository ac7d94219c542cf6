"""Days and times as labels: one class whatever their type and unit, also as names of columns."""

import datetime
from functools import partial

import numpy as np
import pandas as pd
import pytest

from skxent import categorical_cross_entropy, make_cross_entropy_scorer

P = np.array([[0.5, 0.25, 0.25], [0.125, 0.75, 0.125], [0.1, 0.1, 0.8], [0.25, 0.5, 0.25]])
CODES = np.array([0, 1, 2, 1])
LOSSES = -np.log([0.5, 0.75, 0.8, 0.5])
DAYS = [datetime.date(2020, 2, 28), datetime.date(2020, 2, 29), datetime.date(2021, 1, 1)]
TIMES = [datetime.datetime(day.year, day.month, day.day) for day in DAYS]
ORDER = [2, 0, 1]

losses = partial(categorical_cross_entropy, reduction="none")


def as_objects(values):
    return np.fromiter(values, dtype=object, count=len(values))


FORMS = {
    "days": as_objects(DAYS),
    "times": as_objects(TIMES),
    "timestamps": as_objects([pd.Timestamp(day) for day in DAYS]),
    "scalars": as_objects([np.datetime64(day) for day in DAYS]),
    **{unit: np.array(DAYS, dtype=f"M8[{unit}]") for unit in ("D", "h", "s", "ms", "us", "ns")},
}
NAMES = {
    "days": DAYS,
    "times": TIMES,
    "texts of days": [day.isoformat() for day in DAYS],
    "texts of times": [time.isoformat(" ") for time in TIMES],
    "timestamps": pd.to_datetime(DAYS),
}


@pytest.mark.parametrize("named", FORMS)
@pytest.mark.parametrize("form", FORMS)
def test_labels_of_one_day_are_equal_whatever_their_type(form, named):
    y, labels = FORMS[form][CODES], FORMS[named]
    np.testing.assert_allclose(losses(y, P), LOSSES)
    np.testing.assert_allclose(losses(y, P[:, ORDER], labels=labels[ORDER]), LOSSES)


@pytest.mark.parametrize("names", NAMES)
@pytest.mark.parametrize("form", FORMS)
def test_columns_are_named_by_days(form, names):
    frame = pd.DataFrame(P, columns=NAMES[names]).iloc[:, ORDER]
    np.testing.assert_allclose(losses(FORMS[form][CODES], frame), LOSSES)


@pytest.mark.parametrize("form", ["times", "us", "ns"])
def test_times_within_a_day_are_other_labels(form):
    noon = [time + datetime.timedelta(hours=12) for time in TIMES]
    y = as_objects(noon) if form == "times" else np.array(noon, dtype=f"M8[{form}]")
    with pytest.raises(ValueError, match="not in labels"):
        losses(y[CODES], P, labels=DAYS)
    np.testing.assert_allclose(losses(y[CODES], P, labels=noon), LOSSES)


def test_a_day_and_its_first_moment_are_one_class():
    mixed = as_objects([DAYS[0], TIMES[1], np.datetime64(DAYS[2], "s"), DAYS[1]])
    np.testing.assert_allclose(losses(mixed, P), LOSSES)


def test_nanoseconds_that_are_no_microseconds_stay_apart():
    y = np.datetime64("2020-02-28", "ns") + np.array([1, 2, 3])
    np.testing.assert_allclose(losses(y[CODES], P), LOSSES)
    np.testing.assert_allclose(losses(y[CODES], P[:, ORDER], labels=y[ORDER]), LOSSES)


def test_durations_of_every_unit():
    for unit in ("s", "ms", "us"):
        y = np.array([1, 2, 3], dtype="m8[s]").astype(f"m8[{unit}]")
        labels = np.array([3, 1, 2], dtype="m8[s]")
        np.testing.assert_allclose(losses(y[CODES], P[:, ORDER], labels=labels), LOSSES)


@pytest.mark.parametrize("names", ["days", "texts of days", "timestamps"])
def test_soft_targets_with_days_for_columns_are_aligned_with_classes(names):
    class Dated:
        classes_ = np.array(DAYS, dtype="M8[D]")

        def fit(self, X, y):
            return self

        def predict_proba(self, X):
            return P

    soft = np.array([[0.5, 0.5, 0.0], [0.0, 1.0, 0.0], [0.2, 0.2, 0.6], [0.0, 0.5, 0.5]])
    frame = pd.DataFrame(soft, columns=NAMES[names]).iloc[:, ORDER]
    score = make_cross_entropy_scorer()(Dated(), np.zeros((4, 1)), frame)
    assert score == pytest.approx((soft * np.log(P)).sum() / 4)
