"""Comparison of estimators with a baseline by cross-validation."""

from __future__ import annotations

import math
import numbers
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn import config_context
from sklearn.base import clone
from sklearn.model_selection import (
    GroupKFold,
    GroupShuffleSplit,
    ShuffleSplit,
    StratifiedShuffleSplit,
    cross_validate,
)
from sklearn.utils.validation import has_fit_parameter

from skxent.inputs.array_arguments import as_array
from skxent.inputs.compared_models import check_baseline, check_estimators
from skxent.inputs.dask_arguments import computed
from skxent.inputs.labels import as_labels
from skxent.inputs.namespaces import AnyArray, Floats
from skxent.inputs.row_order import warn_of_row_order
from skxent.inputs.splits import Split, check_two_folds, fold_weights, read_splits
from skxent.inputs.weights import as_weights, check_weight_range
from skxent.metrics.comparison import Comparison, Options, tested
from skxent.metrics.means import MeanEstimate, copies_and_shares, estimate, exact_sum
from skxent.metrics.ready_scorers import cce_sum_scorer


def compare_cv(
    estimators: Mapping[str, object],
    X: object,
    y: ArrayLike,
    *,
    baseline: str,
    cv: object = None,
    groups: ArrayLike | None = None,
    sample_weight: ArrayLike | None = None,
    level: float = 0.95,
    correction: str | None = "holm",
    base: float | None = None,
    n_jobs: int | None = None,
) -> Comparison:
    r"""Compare estimators with a baseline by their losses on the same held-out folds.

    Parameters
    ----------
    estimators : dict of str to classifier
        Classifiers with `predict_proba`, pipelines too; clones are fitted.
    X : array-like of shape (n, d)
        Samples, as the estimators take them.
    y : array-like of shape (n,) or (n, K)
        Labels, or soft rows if the estimators take them.
    baseline : str
        Name of the estimator that the others are compared with.
    cv : int, splitter, iterable or None, default=None
        Folds, the same for all estimators. None is 15 random splits with a tenth held out, always
        the same, stratified by class if no class is too rare for that. An integer is one partition
        into that many folds, stratified by class. Others as in
        `sklearn.model_selection.cross_validate`.
    groups : array-like of shape (n,), default=None
        Labels of groups. If `cv` is None or an integer, groups are held out as a whole. A splitter
        receives them in its `split`.
    sample_weight : array-like of shape (n,), default=None
        Weight w_i counts sample i that many times, in held-out sums and in `fit` if it takes
        weights. In a pipeline, ``set_fit_request`` of a step says whether the step takes them.
    level : float, default=0.95
        Level of the intervals.
    correction : "holm" or None, default="holm"
        Adjustment of p-values for the number of estimators, as in :func:`compare`.
    base : float, default=None
        Base of the logarithm. None gives nats, 2 gives bits.
    n_jobs : int or None, default=None
        Number of folds to fit in parallel.

    Returns
    -------
    Comparison
        A row for each estimator but the baseline.

    Raises
    ------
    ValueError
        If `baseline` is none of the estimators or the only one, there are fewer than two folds, or
        a fit or a prediction fails.

    Warns
    -----
    ZeroProbabilityWarning
        If a held-out label had a probability below the floor, for example because the training
        part of its fold lacks it.

    See Also
    --------
    compare : From predictions of one test set.
    cce_scorer : Aligns the columns of each fold's fit by its `classes_`.

    Notes
    -----
    Fold j has the weight W_j, the number of its test samples, and the mean difference d_j between
    estimator and baseline. `difference` is the weighted mean over folds, which equals the mean over
    all held-out predictions:

    .. math:: \bar d = \frac{\sum_j W_j d_j}{\sum_j W_j}, \qquad
              s^2 = \frac{J}{J - 1} \frac{\sum_j W_j (d_j - \bar d)^2}{\sum_j W_j}.

    If the variance of d_j is proportional to 1 / W_j, the expectation of s² is the variance of a
    fold of mean size. The fits of the J folds share most of their training samples, so that their
    differences are not independent, and s² / J underestimates the variance of their mean. Nadeau
    and Bengio [1]_ approximate the correlation of two folds by the fraction of the data that is
    held out, which gives

    .. math:: \mathrm{SE}^2 = \Bigl(\frac{1}{J} + \frac{n_\text{test}}{n_\text{train}}\Bigr) s^2,
              \qquad t = \bar d / \mathrm{SE}

    with J - 1 degrees of freedom, the corrected resampled t-test; for repeated cross-validation J
    counts the folds of all repetitions [2]_. This rule has worked well in practice, but no theorem
    supports it. Two random splits have that fraction of their test samples in common. The folds of
    one partition have none, so with an integer for `cv` the standard error is overestimated, and
    the test finds fewer differences than there are.

    The hypothesis is that both *learners*, trained on samples of this size, have the same expected
    loss. **Assumes** that d_j is nearly normal; that samples are independent, or groups if folds
    hold whole groups; that folds are of similar size.

    Dask collections are copied to this process, once: all their rows must fit in memory.

    References
    ----------
    .. [1] C. Nadeau, Y. Bengio, "Inference for the generalization error", Machine Learning 52,
       2003. :doi:`10.1023/A:1024068626366`
    .. [2] R. R. Bouckaert, E. Frank, "Evaluating the replicability of significance tests for
       comparing learning algorithms", PAKDD 2004. :doi:`10.1007/978-3-540-24775-3_3`

    Examples
    --------
    >>> from sklearn.datasets import load_wine
    >>> from sklearn.dummy import DummyClassifier
    >>> from sklearn.naive_bayes import GaussianNB
    >>> from skxent import compare_cv
    >>> X, y = load_wine(return_X_y=True)
    >>> models = {"base rates": DummyClassifier(), "naive Bayes": GaussianNB()}
    >>> found = compare_cv(models, X, y, baseline="base rates")
    >>> print(f"{found.difference[0]:.3f} nats, p = {found.p_value[0]:.0e}")
    -0.988 nats, p = 4e-11
    """
    options = Options(level, correction, base)
    check_baseline(estimators, baseline, "estimators")
    check_estimators(estimators)
    X, y, groups, sample_weight = computed(X, y, groups, sample_weight)
    truth = as_array(y, "y")
    n = len(truth)
    if np.asarray(y).dtype.kind == "T":
        y = truth  # scikit-learn takes no StringDType
    splits = _splits(cv, X, y, groups)
    weight = as_weights(sample_weight, n, of="y")
    if weight is not None:
        check_weight_range(weight.max())
    train, test = fold_weights(splits, weight, n)
    sums = {}
    for name, estimator in estimators.items():
        try:
            sums[name] = _held_out_sums(estimator, X, y, splits, weight, n_jobs)
        except Exception as error:
            error.add_note(f"This is about estimators[{name!r}].")
            raise
    differences = {
        name: _difference(each, sums[baseline], train, test)
        for name, each in sums.items()
        if name != baseline
    }
    means = {name: exact_sum(each) / exact_sum(test) for name, each in sums.items()}
    copies, _ = copies_and_shares(weight, n)
    n_tested = round(sum(copies[fold].sum() for _, fold in splits))
    method = f"Corrected resampled t-test of {len(splits)} folds (Nadeau and Bengio, 2003)"
    return tested(means, baseline, differences, n_tested, method, options)


def _splits(cv: object, X: object, y: object, groups: ArrayLike | None) -> list[Split]:
    """Split the samples once, so that all estimators have the same folds."""
    if cv is None:
        cv = _random_splits(y, groups)
    elif groups is not None and isinstance(cv, numbers.Integral):
        cv = GroupKFold(int(cv))
    warn_of_row_order(X, "X", y=y, groups=groups)
    splits = read_splits(cv, X, y, {"groups": groups}, len(as_array(y, "y")))
    check_two_folds(splits)
    return splits


def _random_splits(y: object, groups: ArrayLike | None) -> object:
    """Return random splits, which the t-test assumes, stratified unless a class is too rare."""
    options = {"n_splits": 15, "test_size": 0.1, "random_state": 0}
    if groups is not None:
        return GroupShuffleSplit(**options)
    array = as_array(y, "y")
    if array.ndim == 2 and array.shape[1] > 1:
        return ShuffleSplit(**options)
    counts = np.bincount(as_labels(array, "y").codes)
    rare = counts.min() < 2 or len(counts) > 0.1 * counts.sum()
    return ShuffleSplit(**options) if rare else StratifiedShuffleSplit(**options)


def _held_out_sums(
    estimator: Any,
    X: AnyArray,
    y: ArrayLike,
    splits: list[Split],
    weight: Floats | None,
    n_jobs: int | None,
) -> Floats:
    """Return the sum of held-out losses in each fold, in nats."""
    options: dict[str, object] = {"cv": splits, "n_jobs": n_jobs, "error_score": "raise"}
    if weight is None:
        return -cross_validate(estimator, X, y, scoring=cce_sum_scorer, **options)["test_score"]
    with config_context(enable_metadata_routing=True):
        scorer = cce_sum_scorer.set_score_request(sample_weight=True)
        estimator = clone(estimator)
        if _undecided(estimator):
            estimator.set_fit_request(sample_weight=True)
        options |= {"scoring": scorer, "params": {"sample_weight": weight}}
        return -cross_validate(estimator, X, y, **options)["test_score"]


def _undecided(estimator: Any) -> bool:
    """Tell whether `fit` takes weights and the user has not said whether to pass them."""
    return (
        has_fit_parameter(estimator, "sample_weight")
        and hasattr(estimator, "set_fit_request")
        and estimator.get_metadata_routing().fit.requests.get("sample_weight") is None
    )


def _difference(sums: Floats, reference: Floats, train: Floats, test: Floats) -> MeanEstimate:
    """Estimate the mean difference, with the correction for training samples in common.

    Fold j counts as W_j / mean(W) copies in `estimate`, so that all copies add up to J.
    """
    n_folds = len(test)
    size = float(np.maximum(sums, reference).max() / test.min())
    folds = estimate((sums - reference) / test, test / test.mean(), np.ones(n_folds), size=size)
    stretch = math.sqrt(1.0 + n_folds * test.sum() / train.sum())
    return replace(folds, standard_error=folds.standard_error * stretch)
