"""
Quickstart: two fits of one model
=================================

Two data sets that scikit-learn ships, as they are: no scaling, no pipeline. scikit-learn's
:class:`~sklearn.linear_model.LogisticRegression` and :class:`skxent.SoftmaxClassifier` have the
same model, the same penalty and so the same optimum, and both run at their defaults. The first
stops on its way there and says so in a ConvergenceWarning, counted and silenced here.
"""

# sphinx_gallery_thumbnail_path = "thumbnails/quickstart.svg"

import warnings

import numpy as np
from sklearn.datasets import load_breast_cancer, load_wine
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_predict, cross_val_score

import skxent

# %%
# Both classifiers minimise the same sum over samples: cross-entropy + ‖W‖² / (2C). Minus its first
# term is the log-likelihood. Computed here from the logits, it treats the two alike.


def log_likelihood(clf, X, y):
    """Log-likelihood of a fitted linear classifier, in nats."""
    Z = clf.decision_function(X)
    return -skxent.categorical_cross_entropy(
        y, Z, from_logits=True, labels=clf.classes_, reduction="sum"
    )


def objective(clf, X, y):
    """What both classifiers minimise, in nats."""
    return np.sum(clf.coef_**2) / (2 * clf.C) - log_likelihood(clf, X, y)


# %%
# Each classifier is scored on five held-out folds, then fitted on all samples, six fits in all.


def score_and_fit(clf, X, y):
    """Held-out loss in nats per sample, and how many of the six fits did not converge."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", ConvergenceWarning)
        scores = cross_val_score(clf, X, y, cv=5, scoring=skxent.cce_scorer)
        clf.fit(X, y)
    return -scores.mean(), sum(issubclass(w.category, ConvergenceWarning) for w in caught)


# %%
# SoftmaxClassifier knows how far above the minimum its objective is: ``optimality_gap_``. The gap
# of LogisticRegression follows, since the objective is one and the same.


def readable(gap):
    """A gap as text: what lies below the default ``tol`` is noise."""
    return f"{gap:.3g}" if gap > 1e-6 else "below 1e-6"


def compare(name, data):
    """Print the two classifiers side by side."""
    X, y = data.data, data.target_names[data.target]
    rival, softmax = LogisticRegression(), skxent.SoftmaxClassifier()
    nats, early = zip(*(score_and_fit(clf, X, y) for clf in (rival, softmax)), strict=True)
    minimum = softmax.objective_ - softmax.optimality_gap_

    def row(label, *cells, form=""):
        print(f"  {label:36}" + "".join(f"{cell:>20{form}}" for cell in cells))

    n, d = X.shape
    print(f"{name}: {n} samples, {d} raw features, {softmax.classes_.size} classes")
    row("", "LogisticRegression", "SoftmaxClassifier")
    row("held out: loss, nats per sample", *nats, form=".3f")
    row("held out: loss, bits per sample", *np.divide(nats, np.log(2)), form=".3f")
    lls = log_likelihood(rival, X, y), softmax.log_likelihood_
    row("fit on all: log-likelihood, nats", *lls, form=".2f")
    objectives = objective(rival, X, y), softmax.objective_
    row("fit on all: objective, nats", *objectives, form=".2f")
    gaps = [value - minimum for value in objectives]
    row("fit on all: gap to optimum, nats", *map(readable, gaps))
    row("fits that stopped too early, of 6", *early)


# %%
# The loss of one sample is the primitive of which means and sums are made. Held out, a few samples
# carry most of it: confident predictions that were wrong.


def show_costliest(data, count=3):
    """Print the samples that cost SoftmaxClassifier the most when held out."""
    X, y = data.data, data.target_names[data.target]
    P = cross_val_predict(skxent.SoftmaxClassifier(), X, y, cv=5, method="predict_proba")
    losses = skxent.categorical_cross_entropy(y, P, labels=np.unique(y), reduction="none")
    worst = np.argsort(losses)[: -count - 1 : -1]
    share = losses[worst].sum() / losses.sum()
    print(f"  the {count} costliest samples make {share:.0%} of SoftmaxClassifier's held-out loss")
    for i, loss in zip(worst, losses[worst], strict=True):
        print(f"    sample {i}: {loss:.2f} nats for {y[i]}, of probability {np.exp(-loss):.4f}")
    print()


# %%
# The optimum has the smaller held-out loss here, as one hopes. It is no law: stopping early works
# like one more penalty, of unknown size. Objective and gap are the solver's business; the held-out
# loss is that of the model and of ``C``.

for name, data in {"breast_cancer": load_breast_cancer(), "wine": load_wine()}.items():
    compare(name, data)
    show_costliest(data)
