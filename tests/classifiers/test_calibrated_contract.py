"""What scikit-learn asks of every classifier, of a classifier with calibrated predictions."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression, RidgeClassifier
from sklearn.utils.estimator_checks import parametrize_with_checks

from skxent import CalibratedClassifier

ESTIMATORS = [
    CalibratedClassifier(LogisticRegression(C=1.0), cv=3),
    CalibratedClassifier(RidgeClassifier(), method="bias", cv=3),
    CalibratedClassifier(LogisticRegression(C=1.0), method="vector", cv=3),
    CalibratedClassifier(LogisticRegression(C=1.0), method="matrix", cv=3),
    CalibratedClassifier(LogisticRegression(C=1.0), C=1.0, cv=3),
    CalibratedClassifier(LogisticRegression(C=1.0), method="bias", C=np.inf, cv=3),
    CalibratedClassifier(RidgeClassifier(), method="bias", C=np.inf, cv=3),
    CalibratedClassifier(LogisticRegression(C=1.0), method="vector", C=np.inf, cv=3),
]
# scikit-learn 1.7 hands pytest a generator, which pytest 9 deprecates.
checks = parametrize_with_checks(ESTIMATORS)
names, cases = checks.args


# Some checks have labels that the features separate, or give all samples of a class weight zero.
@pytest.mark.filterwarnings("ignore:LogitCalibrator. no finite optimum")  # 2026-11
@pytest.mark.filterwarnings("ignore:LogitCalibrator. y has no samples with a weight")  # 2026-11
@pytest.mark.parametrize(names, list(cases), **checks.kwargs)
@pytest.mark.thinned(24)
def test_check_estimator(estimator, check):
    if estimator.C == "loo" and "weight_equivalence" in getattr(check, "func", check).__name__:
        # Leave-one-out leaves out a sample with all its weight, and copies one by one.
        with pytest.raises(AssertionError):
            check(estimator)
        return
    check(estimator)
