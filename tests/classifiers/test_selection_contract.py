"""What scikit-learn asks of every classifier, of the one that chooses its penalty."""

import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

from skxent import SoftmaxClassifierCV

ESTIMATORS = [
    SoftmaxClassifierCV(),
    SoftmaxClassifierCV(Cs=3, cv=3),
    SoftmaxClassifierCV(Cs=3, solver="newton"),
    SoftmaxClassifierCV(Cs=3, cv=3, solver="lbfgs"),
]
checks = parametrize_with_checks(ESTIMATORS)
names, cases = checks.args


@pytest.mark.parametrize(names, list(cases), **checks.kwargs)
@pytest.mark.thinned(8)
def test_check_estimator(estimator, check):
    check(estimator)
