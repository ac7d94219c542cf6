"""Distance from the optimum against passes over raw data, for two libraries and their solvers."""

import warnings

import numpy as np
from sklearn.datasets import load_wine
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression

import skxent

ITERATIONS = [1, 2, 4, 7, 10, 20, 30, 50, 70, 100, 200, 500, 1000]
# Colour, style, and where the name stands.
RIVALS = {
    "sag": ("C4", "--", None),
    "saga": ("C4", ":", (14, 300, "sag, saga")),
    "lbfgs": ("C1", "-", (115, 1.5, "lbfgs, the default,\nends here")),
    "newton-cg": ("C3", "--", (66, 3e-4, "newton-cg")),
    "newton-cholesky": ("C2", "--", (1.1, 5e-4, "newton-\ncholesky")),
}


def draw(figure):
    X, y = load_wine(return_X_y=True)
    clf = skxent.SoftmaxClassifier().fit(X, y)
    axes = figure.subplots()
    passes, values = clf.objective_curve_.T
    above = values - clf.objective_
    axes.loglog(passes[above > 0], above[above > 0], "o-", color="C0", linewidth=3)
    axes.text(15, 2e-2, "skxent", color="C0", weight="bold")
    for solver, (colour, style, name) in RIVALS.items():
        above = [objective(solver, n, X, y) - clf.objective_ for n in ITERATIONS]
        axes.loglog(ITERATIONS, above, style, color=colour)
        if solver == "lbfgs":
            axes.plot(100, above[ITERATIONS.index(100)], "s", color=colour)
        if name:
            axes.text(*name, color=colour, va="center")
    axes.set(
        xlabel="passes (skxent), iterations (scikit-learn)",
        ylabel="nats above the optimum",
        xlim=(1, 1000),
        ylim=(1e-6, 1e3),
    )


def objective(solver, iterations, X, y):
    """What both libraries minimise, where a fit of LogisticRegression stands after so many."""
    clf = LogisticRegression(solver=solver, max_iter=iterations, tol=1e-12, random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        clf.fit(X, y)
    Z = clf.decision_function(X)
    loss = skxent.categorical_cross_entropy(y, Z, from_logits=True, reduction="sum")
    return loss + np.sum(clf.coef_**2) / 2
