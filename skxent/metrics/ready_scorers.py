"""The scorers that are ready to use, each with a text of its own.

The reference, ``help`` and the question mark of IPython show these texts.
"""

from __future__ import annotations

from typing import TypeVar

from skxent.metrics.decomposition_scorers import DecompositionScorer
from skxent.metrics.scorers import CrossEntropyScorer, make_cross_entropy_scorer

Scorer = TypeVar("Scorer", bound=CrossEntropyScorer)


def _described(scorer: Scorer, text: str) -> Scorer:
    """Return the scorer with a docstring of its own in place of that of its class."""
    # Scorers are frozen. The text is no field: it changes neither equality nor the hash.
    object.__setattr__(scorer, "__doc__", text)
    return scorer


cce_scorer = _described(
    make_cross_entropy_scorer("categorical"),
    """Negative mean categorical cross-entropy, in nats per sample: greater is better, 0 is perfect.

Call it as ``scorer(estimator, X, y, sample_weight=None, *, offset=None)``, or pass it as `scoring`
wherever scikit-learn takes one. Columns of `predict_proba` are aligned by `classes_`, so that a
test fold may lack a class. `y` holds labels or soft rows. A label that the estimator never saw
costs 36.04 nats, with a `ZeroProbabilityWarning`.

See Also
--------
cce_sum_scorer : The sum in place of the mean.
make_cross_entropy_scorer : Makes scorers with other options, such as the base of the logarithm.

Examples
--------
>>> from skxent import cce_scorer
>>> from sklearn.datasets import load_wine
>>> from sklearn.model_selection import cross_val_score
>>> from sklearn.naive_bayes import GaussianNB
>>> X, y = load_wine(return_X_y=True)
>>> cross_val_score(GaussianNB(), X, y, scoring=cce_scorer).round(3)
array([-0.114, -0.078, -0.288, -0.436, -0.008])
""",
)

bce_scorer = _described(
    make_cross_entropy_scorer("binary"),
    """Negative mean binary cross-entropy, in nats per sample: greater is better, 0 is perfect.

Call this scorer, or pass it as `scoring`, like `cce_scorer`. `y` holds labels of two classes, or
rows of shape (n, m), which are m independent yes/no outcomes; the loss of a sample is then the sum
over its outcomes. The second of two classes is `classes_[1]` of the estimator, so that no
`pos_label` is needed. More than two classes raise an error.

See Also
--------
bce_sum_scorer : The sum in place of the mean.
cce_scorer : For any number of classes, of which each sample has one.

Examples
--------
>>> from skxent import bce_scorer
>>> from sklearn.datasets import load_breast_cancer
>>> from sklearn.model_selection import cross_val_score
>>> from sklearn.naive_bayes import GaussianNB
>>> X, y = load_breast_cancer(return_X_y=True)
>>> print(cross_val_score(GaussianNB(), X[:, :2], y, scoring=bce_scorer).round(2))
[-0.37 -0.3  -0.22 -0.23 -0.25]
""",
)

cce_sum_scorer = _described(
    make_cross_entropy_scorer("categorical", reduction="sum"),
    """Negative sum of the categorical cross-entropy, in nats: the log-likelihood of the samples.

Call this scorer, or pass it as `scoring`, like `cce_scorer`. The scores of the folds of a
cross-validation add up to the log-likelihood of all samples. Means do not: the average of the means
of unequal folds is not the mean over all samples.

See Also
--------
cce_scorer : The mean in place of the sum.

Examples
--------
>>> from skxent import cce_sum_scorer
>>> from sklearn.datasets import load_wine
>>> from sklearn.model_selection import cross_val_score
>>> from sklearn.naive_bayes import GaussianNB
>>> X, y = load_wine(return_X_y=True)
>>> print(cross_val_score(GaussianNB(), X, y, scoring=cce_sum_scorer).sum().round(2))
-32.84
""",
)

bce_sum_scorer = _described(
    make_cross_entropy_scorer("binary", reduction="sum"),
    """Negative sum of the binary cross-entropy, in nats: the log-likelihood of the samples.

Call this scorer, or pass it as `scoring`, with the same targets as `bce_scorer`. The scores of the
folds of a cross-validation add up to the log-likelihood of all samples.

See Also
--------
bce_scorer : The mean in place of the sum.

Examples
--------
>>> from skxent import bce_sum_scorer
>>> from sklearn.dummy import DummyClassifier
>>> y = [0, 1, 1, 1]
>>> coin = DummyClassifier(strategy="uniform", random_state=0).fit(y, y)
>>> print(f"{bce_sum_scorer(coin, y, y):.4f}")  # 4 log(1/2)
-2.7726
""",
)

miscalibration_scorer = _described(
    DecompositionScorer(part="miscalibration"),
    """Negative miscalibration of a classifier, in nats per sample: at most 0, greater is better.

Miscalibration is the part of the cross-entropy that recalibration of the predictions would remove.
Use this scorer like `cce_scorer`; columns are aligned by `classes_` in the same way.

See Also
--------
decompose_cross_entropy : What the parts are, and how small samples exaggerate them.
discrimination_scorer : By how much recalibrated predictions are better than the base rates.
CalibratedClassifier : Reduces the miscalibration.

Examples
--------
>>> from skxent import miscalibration_scorer
>>> from sklearn.datasets import load_breast_cancer
>>> from sklearn.model_selection import cross_val_score
>>> from sklearn.naive_bayes import GaussianNB
>>> X, y = load_breast_cancer(return_X_y=True)
>>> print(cross_val_score(GaussianNB(), X[:, :2], y, scoring=miscalibration_scorer).round(2))
[-0.12 -0.06 -0.07 -0.07 -0.09]
""",
)

discrimination_scorer = _described(
    DecompositionScorer(part="discrimination"),
    """Discrimination of a fitted classifier, in nats per sample: at least 0, greater is better.

Discrimination is the cross-entropy of the base rates of the classes, less the cross-entropy of the
predictions after recalibration.
Use this scorer like `cce_scorer`; columns are aligned by `classes_` in the same way.

See Also
--------
decompose_cross_entropy : What the parts are, and how small samples exaggerate them.
miscalibration_scorer : The part that recalibration would remove.

Examples
--------
>>> from skxent import discrimination_scorer
>>> from sklearn.datasets import load_breast_cancer
>>> from sklearn.model_selection import cross_val_score
>>> from sklearn.naive_bayes import GaussianNB
>>> X, y = load_breast_cancer(return_X_y=True)
>>> print(cross_val_score(GaussianNB(), X[:, :2], y, scoring=discrimination_scorer).round(2))
[0.42 0.42 0.51 0.49 0.5 ]
""",
)
