"""Gap against passes of three fits to the raw wine data."""

from sklearn.datasets import load_wine

import skxent

SIZE = (5.6, 4.2)
ALT = (
    "Gap in nats on a logarithmic axis against passes, one falling curve for each of three "
    "values of C, and a dotted line at the target of a millionth of a nat."
)


def draw(figure):
    X, y = load_wine(return_X_y=True)
    fits = {f"C = {C:g}": skxent.SoftmaxClassifier(C=C).fit(X, y) for C in (0.01, 1, 100)}
    skxent.ConvergenceDisplay.from_estimators(fits, ax=figure.subplots())
