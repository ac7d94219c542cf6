"""Checks that a fitted classifier is at the optimum of its data, and Newton steps to it."""

from __future__ import annotations

from contextlib import closing, suppress
from dataclasses import dataclass
from typing import NoReturn

import numpy as np
from numpy.typing import ArrayLike

from skxent.inference import information_matrix
from skxent.inference.constrained_fits import LAST
from skxent.inference.fitted import FittedLinearModel, cure_of_separation, penalty_of_fit
from skxent.inference.likelihood_estimate import LikelihoodEstimate, estimate
from skxent.inference.linear_dependence import dependent_columns
from skxent.inference.same_data import PIPELINE, raise_other_data, same_likelihood
from skxent.inference.unbounded import estimate_near_infimum, near_infimum
from skxent.inputs.class_names import check_default_names
from skxent.inputs.features import AnyArray, read_X
from skxent.inputs.fit_targets import FitTargets, Floats, sample_weights
from skxent.inputs.offsets import fitted_offset
from skxent.likelihood.existence.separation import Separation, Undecided, find_separation_by
from skxent.likelihood.objective import Objective, Point
from skxent.likelihood.optimise.preconditioners import Cholesky, PreconditionedPoint
from skxent.likelihood.sources.arrays import balanced_offset
from skxent.likelihood.sources.first_sums import Moments
from skxent.likelihood.sources.local_rows import LocalRows
from skxent.likelihood.sources.moments import compute_moments
from skxent.likelihood.sources.thread_limits import effective_threads, one_blas_thread

WIDEST = 5000  # largest number of parameters q; a few matrices (q, q) are held in memory
OFF = 1e-3  # gap, in units of `nat_of`, above which the data are not those of the fit
# Gap, in units of `nat_of`. If the gap is smaller but Newton steps still change logits, there is no
# finite minimum.
ON_THE_WAY = 1e-5
MOST = 3  # largest number of columns that a message describes


@dataclass(frozen=True)
class Optimum:
    """The optimum of the data of a fit.

    Parameters
    ----------
    estimate : LikelihoodEstimate
        Parameters, with the inverse Hessian as covariance.
    log_likelihood : float
        Log-likelihood without the penalty, in nats.
    df : float
        Number of parameters; the effective number with a penalty.
    class_weight : (K,) array
        Total weight of each class.
    separated : bool
        Whether the likelihood has a supremum and no maximum, and parameters are near the supremum.
    """

    estimate: LikelihoodEstimate
    log_likelihood: float
    df: float
    class_weight: Floats
    separated: bool = False


def data_of_fit(
    clf: FittedLinearModel,
    X: AnyArray,
    y: ArrayLike,
    sample_weight: ArrayLike | None,
    offset: ArrayLike | None = None,
) -> tuple[LocalRows, Floats | None]:
    """Read and check the data of the fit; return them, and the weights without class weights."""
    if not isinstance(clf.coef_, np.ndarray):
        raise TypeError("clf was fitted on a device: fit it on the host, with NumPy arrays.")
    _check_width(clf, X)
    X = _read_X(clf, X)
    logits = fitted_offset(clf, offset, X.shape[0])
    copies = sample_weights(sample_weight, X.shape[0])
    targets, weight = _targets(clf, y, X.shape[0]).weighted(clf.class_weight, copies)
    data = LocalRows(
        X=X,
        targets=targets.values,
        weight=weight,
        n_classes=len(targets.classes),
        fit_intercept=bool(clf.fit_intercept),
        n_threads=effective_threads(clf.n_jobs),
        offset=None if logits is None else balanced_offset(logits.T),
    )
    width = (len(clf.classes_) - 1) * (X.shape[1] + bool(clf.fit_intercept))
    if width > WIDEST:
        raise ValueError(
            f"infer needs the whole Hessian, here of {width} parameters, and {WIDEST} are the "
            "most: leave out features."
        )
    return data, copies


def _check_width(clf: FittedLinearModel, X: AnyArray) -> None:
    """Require the number of columns of the fit."""
    shape: tuple[int, ...] = getattr(X, "shape", ())
    if len(shape) == 2 and shape[1] != clf.n_features_in_:
        raise ValueError(
            f"X has {shape[1]} features, but {type(clf).__name__} is expecting "
            f"{clf.n_features_in_} features as input: pass the X of the fit; {PIPELINE}."
        )


def _read_X(clf: FittedLinearModel, X: AnyArray) -> AnyArray:
    try:
        return read_X(clf, X, reset=False)
    except (TypeError, ValueError) as error:
        error.add_note(f"Pass the X of the fit; {PIPELINE}.")
        raise


def _targets(clf: FittedLinearModel, y: AnyArray, n: int) -> FitTargets:
    """Read targets with the classes in the order of `classes_`."""
    known = clf.classes_.tolist()
    shape = np.shape(y)
    if len(shape) == 2 and shape[1] > 1:
        if shape[1] != len(known):
            raise ValueError(
                f"y has {shape[1]} columns but clf has {len(known)} classes: pass a column for "
                f"each of {known}."
            )
        check_default_names(y, known, "y")
        return FitTargets.of(y, clf.classes_, n)
    targets = FitTargets.of(y, None, n)
    found = targets.classes.tolist()
    if set(found) != set(known):
        raise ValueError(
            f"y has classes {found} but clf was fitted with {known}: pass the y of the fit."
        )
    places = np.array([known.index(label) for label in found])
    return FitTargets(clf.classes_, places[targets.values])


def optimum(
    clf: FittedLinearModel, data: LocalRows, names: list[str], at_infinity: bool = False
) -> Optimum:
    """Check that the fit is at the optimum of the data, and take Newton steps to it.

    Parameters
    ----------
    clf : FittedLinearModel
    data : LocalRows
    names : list of str
        Names of the features.
    at_infinity : bool
        Whether an optimum at infinity is one, or an error.
    """
    penalty = penalty_of_fit(clf)
    with closing(one_blas_thread()) as limit, limit:
        moments = compute_moments(data)
        _check_class_weights(clf, data, moments)
        mean = moments.centre(data.fit_intercept)
        objective = Objective(data, moments, penalty, mean if data.fit_intercept else None)
        try:
            point = objective(objective.enter(clf.coef_, clf.intercept_))
            model = information_matrix.information(objective, point.theta)
            _check_at_optimum(clf, data, objective, point, model)
            check_collinear(data, moments, names, _unpenalised(clf))
            if at_infinity and (model is None or not clf.converged_) and _is_separated(clf, data):
                point = near_infimum(objective, point)
                return Optimum(
                    estimate=estimate_near_infimum(data, mean, objective, point),
                    log_likelihood=-point.value if point.value > LAST else 0.0,
                    df=float((data.n_classes - 1) * (len(mean) + data.fit_intercept)),
                    class_weight=moments.class_weight,
                    separated=True,
                )
            if not clf.converged_:
                _raise_unconverged(clf, data, names)
            point, model = _polished(clf, data, names, objective, point, model)
        finally:
            objective.close()
        covariance = information_matrix.inverse(model)
    return Optimum(
        estimate=estimate(data, mean, point.theta, covariance),
        log_likelihood=objective.log_likelihood(point),
        df=information_matrix.effective_df(model, covariance, penalty, len(mean)),
        class_weight=moments.class_weight,
    )


def nat_of(data: LocalRows) -> float:
    """Return the unit of `OFF` and `ON_THE_WAY` in nats: 1, or the mean weight if it is smaller."""
    return min(1.0, 1.0 if data.weight is None else float(data.weight.mean()))


def _check_at_optimum(
    clf: FittedLinearModel,
    data: LocalRows,
    objective: Objective,
    point: Point,
    model: Cholesky | None,
) -> None:
    """Check that the data are those of the fit, before any other error about the data.

    The gap at the parameters of the fit must be small. If the Hessian is singular or the fit did
    not converge, the gap is no evidence about the data, and the log-likelihood must be that of the
    fit.
    """
    if model is None or not clf.converged_:
        if not same_likelihood(clf, objective, point):
            raise_other_data(clf, data, objective, point)
        return
    gap = PreconditionedPoint.of(model, point).decrement
    if not gap <= max(OFF * nat_of(data), 2 * clf.optimality_gap_):
        raise_other_data(clf, data, objective, point, gap)


def _polished(
    clf: FittedLinearModel,
    data: LocalRows,
    names: list[str],
    objective: Objective,
    point: Point,
    model: Cholesky | None,
) -> tuple[Point, Cholesky]:
    """Take Newton steps from the fit; return the optimum and the Hessian there."""
    if model is None:
        _raise_separated(clf, data, names)
    point, model = information_matrix.newton(objective, point, model)
    if not information_matrix.still(objective, point, model):
        if PreconditionedPoint.of(model, point).decrement > ON_THE_WAY * nat_of(data):
            raise ValueError("clf is too far from its optimum: fit it again with a smaller tol.")
        _raise_separated(clf, data, names)
    return point, model


def _raise_unconverged(clf: FittedLinearModel, data: LocalRows, names: list[str]) -> NoReturn:
    """Raise the error that the fit did not converge, with the cause."""
    if _unpenalised(clf).any():
        with suppress(Undecided):
            _check_separation(clf, data, names)
    raise ValueError(
        f"clf has not converged, and its objective is at most {clf.optimality_gap_:.2g} nats above "
        "the minimum: fit it with a higher max_iter, or a finite C if classes can be separated."
    )


def _check_class_weights(clf: FittedLinearModel, data: LocalRows, moments: Moments) -> None:
    """Raise an error about a class without weight, which the fit left out."""
    if np.isinf(clf.intercept_).any():
        label = clf.classes_.tolist()[int(np.argmin(clf.intercept_))]
    elif data.fit_intercept and not moments.class_weight.all():
        label = clf.classes_.tolist()[int(np.argmin(moments.class_weight))]
    else:
        return
    raise ValueError(
        f"class {label!r} has no weight, and no finite coefficients: leave its samples out, or "
        "its column of soft targets, and fit again."
    )


def _raise_separated(clf: FittedLinearModel, data: LocalRows, names: list[str]) -> NoReturn:
    """Raise the error that no finite optimum exists, or none within the range of float64."""
    if not _unpenalised(clf).any():
        raise ValueError(
            "The penalty is so weak that the Hessian of the objective is singular to the precision "
            "of float64: pass a smaller C."
        )
    why = (
        "No finite maximum of the likelihood is in reach, because some classes can be separated "
        "perfectly or almost perfectly"
    )
    with suppress(Undecided):
        _check_separation(clf, data, names)
        why = "The maximum of the likelihood is finite, but out of reach in float64"
    raise ValueError(
        f"{why}: standard errors would mean nothing. {cure_of_separation(clf)}, or leave out the "
        "features that separate the classes."
    )


def _check_separation(clf: FittedLinearModel, data: LocalRows, names: list[str]) -> None:
    """Raise an error that says which features separate classes, if any do."""
    found = _separation(clf, data)
    if found is not None:
        cure = cure_of_separation(clf, found.features)
        if penalty_of_fit(clf).is_zero and clf.class_weight is None:
            cure += (
                ", pass separation='limit' to infer for likelihood-ratio tests and intervals that "
                "are infinite at one end"
            )
        message = found.message(clf.classes_, names, cure)
        raise ValueError(f"{message[0].upper()}{message[1:]}")


def _separation(clf: FittedLinearModel, data: LocalRows) -> Separation | None:
    return find_separation_by(data, _unpenalised(clf), guess=(clf.coef_, clf.intercept_))


def _is_separated(clf: FittedLinearModel, data: LocalRows) -> bool:
    """Tell whether features without a penalty separate classes; a penalty or weights forbid it.

    Raises
    ------
    ValueError
        If they do, and the fit has a penalty of other features, or class weights.
    """
    with suppress(Undecided):
        if _unpenalised(clf).any() and _separation(clf, data) is not None:
            if not penalty_of_fit(clf).is_zero or clf.class_weight is not None:
                raise ValueError(
                    "separation='limit' needs a likelihood without a penalty and class weights: "
                    "fit with C=numpy.inf and class_weight=None, or use FirthClassifier."
                )
            return True
    return False


def _unpenalised(clf: FittedLinearModel) -> np.ndarray:
    """Return the mask of the features without a penalty."""
    return penalty_of_fit(clf).at_most(0.0, clf.n_features_in_)


def check_collinear(
    data: LocalRows,
    moments: Moments,
    names: list[str],
    mask: np.ndarray,
    cure: str = "Leave columns out, or pass a finite C.",
) -> None:
    """Raise an error that names linearly dependent columns among those in a mask, if any are."""
    if not mask.any():
        return
    if not mask.all():
        columns = np.flatnonzero(mask)
        data, moments = data.with_columns(columns), moments.of_columns(columns)
        names = [names[j] for j in columns]
    found = dependent_columns(data, moments)
    if not found:
        return
    clauses = [_dependence(column, others, data, names) for column, others in found[:MOST]]
    more = f"; and {len(found) - MOST} more columns" if len(found) > MOST else ""
    raise ValueError(
        f"X has columns whose coefficients cannot be identified: {'; '.join(clauses)}{more}. {cure}"
    )


def _dependence(column: int, others: list[int], data: LocalRows, names: list[str]) -> str:
    if not others:
        return f"{names[column]!r} is zero"
    if others == [len(names)]:
        return f"{names[column]!r} is constant, as the intercept is"
    listed = [repr(names[j]) for j in others[:MOST]]
    listed += [f"{len(others) - MOST} others"] * (len(others) > MOST)
    listed += ["the intercept"] * data.fit_intercept
    return f"{names[column]!r} is a linear combination of {_and(listed)}"


def _and(words: list[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
