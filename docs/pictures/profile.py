"""Profile of a coefficient from 72 patients."""

import numpy as np
from sklearn.datasets import load_breast_cancer

import skxent

SIZE = (5.6, 4.2)
ALT = (
    "Signed root of the likelihood ratio against the coefficient of the mean texture. The curve "
    "of the profile bends below the straight dashed line of the Wald statistic on both sides of "
    "the estimate. Dotted lines at plus and minus 1.96 cut off the interval."
)


def draw(figure):
    table = load_breast_cancer(as_frame=True)
    X = table.data[["mean radius", "mean texture", "mean smoothness"]][::8]
    y = table.target_names[table.target][::8]
    clf = skxent.LogisticClassifier(C=np.inf).fit(X, y)
    inference = skxent.infer(clf, X, y, reference="benign")
    skxent.ProfileDisplay.from_inference(inference, "mean texture", ax=figure.subplots())
