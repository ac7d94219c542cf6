"""A softmax classifier whose penalty is chosen by held-out cross-entropy."""

from __future__ import annotations

import warnings
from typing import ClassVar, Self, TypedDict

from numpy.random import RandomState
from numpy.typing import ArrayLike
from sklearn import get_config
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_random_state
from sklearn.utils.metadata_routing import UNUSED, MetadataRouter, MethodMapping, process_routing

from skxent.classifiers.folds import FoldFits, leave_folds_out
from skxent.classifiers.gathered_samples import gathered_if_few
from skxent.classifiers.held_out import MAX_LOSS, Path, leave_one_out
from skxent.classifiers.linear_classifier import LinearClassifier, restored_on_error
from skxent.classifiers.messages import edge_message, one_class_named
from skxent.classifiers.partitioned_training import PartitionedSamples
from skxent.classifiers.training import LocalSamples, read_samples
from skxent.inference.fitted import ClassWeight
from skxent.inputs.features import AnyArray
from skxent.inputs.fit_targets import Floats
from skxent.inputs.parameters import check_parameters, penalties, require_flags
from skxent.inputs.penalty_factors import PenaltyFactor, penalty_factors
from skxent.inputs.stacklevel import users_stacklevel
from skxent.likelihood.optimise.solver import minimise
from skxent.likelihood.penalty import Penalty
from skxent.likelihood.sources.base import RowSource
from skxent.metrics import ZeroProbabilityWarning


class Stopping(TypedDict):
    """Options of `minimise`: when a fit ends, and which steps it takes."""

    tol: float
    max_iter: int
    solver: str


class SoftmaxClassifierCV(LinearClassifier):
    r"""Softmax classifier that chooses its penalty by the cross-entropy of held-out samples.

    By default each sample is left out in turn (leave-one-out), at the cost of about one fit for
    each value of `C`: the curvature at the minimum gives the loss of each sample in a fit without
    it. With `cv` the folds of a splitter are held out instead.

    Parameters
    ----------
    Cs : int or array-like of shape (n_Cs,), default=10
        Values of `C` to compare, see :class:`SoftmaxClassifier`. An integer means that many values
        from 1e-4 to 1e4, evenly spaced in their logarithm. The best value depends on the units of
        the features. If it is at an end of the range and the loss still falls there, a warning says
        so: extend the range.
    cv : int, splitter, iterable or None, default=None
        None means leave-one-out. An integer is a number of folds, stratified by class; the class of
        a soft target is the most probable one. Other folds are given by a splitter of scikit-learn
        or by pairs of indices, (train, test). For Dask collections `cv` is None or an integer, and
        fold i holds out partitions i, i + cv, i + 2 cv, ...
    penalty_factor : array-like of shape (d,), dict or None, default=None
        Factors of the penalty by feature for every value of `C`, as in :class:`SoftmaxClassifier`.
    one_standard_error : bool, default=False
        Whether to choose the strongest penalty whose loss is within one standard error of the
        smallest loss, instead of the smallest.
    fit_intercept : bool, default=True
        Whether logits have a constant term.
    class_weight : dict, "balanced" or None, default=None
        Factors of the sample weights in fits, by class. Held-out losses are weighted by
        `sample_weight` alone.
    tol : float, default=1e-6
        Tolerance of the gap of each fit, as in :class:`SoftmaxClassifier`.
    max_iter : int, default=1000
        Maximum number of iterations of each fit.
    solver : {"auto", "lbfgs", "newton"}, default="auto"
        Which steps each fit takes, as in :class:`SoftmaxClassifier`.
    n_jobs : int or None, default=None
        Number of threads with leave-one-out, number of folds fitted at a time with `cv`. The
        results are the same to the last bit for any number.
    random_state : int, RandomState instance or None, default=0
        Draws the samples that are left out, if leaving out all samples takes too long; see Notes.
    verbose : int, default=0
        1 prints a line for each value of `C`.

    Attributes
    ----------
    C_ : float
        The value chosen.
    Cs_ : ndarray of shape (n_Cs,)
        The values compared, ascending.
    mean_loss_ : ndarray of shape (n_Cs,)
        Mean cross-entropy of held-out samples for each value, in nats, weighted by `sample_weight`.
        Infinite if a fit has no finite minimum, which happens only if C is infinite or a factor of
        the penalty is zero.
    loss_standard_error_ : ndarray of shape (n_Cs,)
        Standard error of `mean_loss_`, from the variance between samples, or between folds.
    loo_loss_ : ndarray of shape (n_Cs,)
        The same as `mean_loss_`; with leave-one-out only.
    loss_path_ : ndarray of shape (n_Cs, n_folds)
        Mean loss of each fold; with `cv` only.
    n_left_out_ : int
        Number of samples that were left out in turn; with leave-one-out only.
    n_refits_ : ndarray of shape (n_Cs,)
        Number of these samples that needed a fit of their own; with leave-one-out only.
    classes_, coef_, intercept_, n_iter_, n_passes_, converged_, objective_ : various
    log_likelihood_, optimality_gap_, target_gap_, objective_curve_ : various
    has_offset_, n_features_in_, feature_names_in_ : various
        As in :class:`SoftmaxClassifier`, for the fit of all samples with `C_`.

    See Also
    --------
    SoftmaxClassifier : The same classifier with a given penalty.
    skxent.cce_scorer : Scores any classifier by its cross-entropy.

    Notes
    -----
    **Leave-one-out.** One Newton step from the minimum gives the logits of a sample in a fit
    without it. If the curvature changes along these steps, the samples with the largest error
    bounds are left out by fits of their own, 64 at most, until the estimated error of the others is
    some thousandths of the mean. The method needs the whole Hessian, of (K - 1)(d + 1) parameters,
    4,000 at most. If it is larger, as with sparse text, pass ``cv=5``. With more features than
    samples, the fit takes place in the row space of X.

    All samples are left out if there are at most 2,000, or at most 1e8 / ((K - 1) w^2) for w
    parameters and at most 100,000. Otherwise a random sample of this size is left out. The mean
    loss is then the mean of the training losses plus the mean increase in the sample, and the
    standard error accounts for the sampling.

    On Dask collections the method and its results are the same. Each partition leaves out its own
    samples. An X of at most 32 MB is copied into this process.

    The fit for the next value of `C` takes Newton steps from the minimum for the last one.

    A weight is a number of copies, and a sample is left out with all its copies. Two rows are
    therefore not equivalent to one row with a weight of two: when one of the two rows is left out,
    the other one stays in the fit.

    **Floor.** As in `cce_scorer`, the loss of a sample is at most -log(2.2e-16) = 36.04 nats. This
    is the loss of the only sample of a class, which the fit without it does not know, and of a
    class that the training part of a fold lacks.

    References
    ----------
    .. [1] K. Rahnama Rad, A. Maleki, "A scalable estimate of the out-of-sample prediction error via
       approximate leave-one-out cross-validation", Journal of the Royal Statistical Society B 82,
       2020. :doi:`10.1111/rssb.12374`
    .. [2] T. Hastie, R. Tibshirani, J. Friedman, "The elements of statistical learning", 2009,
       section 7.10, on the rule of one standard error. :doi:`10.1007/978-0-387-84858-7`

    Examples
    --------
    >>> from sklearn.datasets import load_wine
    >>> from skxent import SoftmaxClassifierCV
    >>> X, y = load_wine(return_X_y=True)
    >>> clf = SoftmaxClassifierCV(Cs=[0.01, 0.1, 1.0, 10.0, 100.0]).fit(X, y)
    >>> print(clf.loo_loss_.round(3), clf.C_)
    [0.269 0.138 0.099 0.115 0.155] 1.0
    """

    # In metadata routing the splitter requests `groups`, and the classifier itself does not.
    __metadata_request__fit: ClassVar[dict[str, object]] = {"groups": UNUSED}

    def __init__(
        self,
        Cs: int | ArrayLike = 10,
        *,
        cv: object = None,
        penalty_factor: PenaltyFactor | None = None,
        one_standard_error: bool = False,
        fit_intercept: bool = True,
        class_weight: ClassWeight | None = None,
        tol: float = 1e-6,
        max_iter: int = 1000,
        solver: str = "auto",
        n_jobs: int | None = None,
        random_state: int | RandomState | None = 0,
        verbose: int = 0,
    ) -> None:
        self.Cs = Cs
        self.cv = cv
        self.penalty_factor = penalty_factor
        self.one_standard_error = one_standard_error
        self.fit_intercept = fit_intercept
        self.class_weight = class_weight
        self.tol = tol
        self.max_iter = max_iter
        self.solver = solver
        self.n_jobs = n_jobs
        self.random_state = random_state
        self.verbose = verbose

    @restored_on_error
    def fit(
        self,
        X: AnyArray,
        y: ArrayLike,
        sample_weight: ArrayLike | None = None,
        classes: ArrayLike | None = None,
        groups: ArrayLike | None = None,
        *,
        offset: ArrayLike | None = None,
        **params: object,
    ) -> Self:
        """Choose C, and fit the model with it.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n, d)
            Samples.
        y : array-like of shape (n,) or (n, K)
            Labels, or soft targets: rows that are distributions over K classes.
        sample_weight : array-like of shape (n,) or None, default=None
            Weights, in fits and in the means of held-out losses.
        classes : array-like of shape (K,) or None, default=None
            Names of the columns of soft targets, as in :meth:`SoftmaxClassifier.fit`.
        groups : array-like of shape (n,) or None, default=None
            Passed to ``cv.split``, which keeps the samples of a group together if `cv` is, for
            example, `sklearn.model_selection.GroupKFold`.
        offset : array-like of shape (n,) or (n, K), or None, default=None
            Known parts of the logits, as in :meth:`SoftmaxClassifier.fit`. The loss of a held-out
            sample is that of its prediction with its own offset.
        **params : dict
            With metadata routing, other arguments of ``cv.split``, by the names that the splitter
            requests.

        Returns
        -------
        SoftmaxClassifierCV
            The fitted classifier itself.

        Raises
        ------
        ValueError
            If the data or a parameter have an invalid value, which the message names with its
            place, if the Hessian is too large for leave-one-out or for ``solver="newton"``, or if
            no fit has a finite minimum.

        Warns
        -----
        ConvergenceWarning
            If the gap of a fit at its end is above its target.
        UserWarning
            If the best value of `C` is the smallest or the largest of at least three, and the loss
            still falls towards it: from the value next to it, by more than a tenth of its standard
            error and by more than a hundredth of itself. There is no warning for an infinite `C`.
        ZeroProbabilityWarning
            If samples have the largest possible loss with the chosen value of `C`.
        """
        check_parameters(self, fewest_iterations=1)
        require_flags(self, "one_standard_error")
        Cs = penalties(self.Cs)
        split = self._routed(sample_weight, classes, groups, offset, params)
        samples = read_samples(self, X, y, sample_weight, classes, offset)
        factors = penalty_factors(self, float(Cs[0]))
        with one_class_named(samples.classes):
            rows, path = self._compare(samples, Cs, factors, split)
            best = path.best(self.one_standard_error)
            if path.solutions:
                solution = path.solutions[best]
            else:
                penalty = Penalty.of_C(Cs[best], factors)
                solution = minimise(rows, penalty=penalty, start=None, **self._stopping())
        for name in ("loo_loss_", "n_left_out_", "n_refits_", "loss_path_"):
            self.__dict__.pop(name, None)  # the attribute of an earlier fit with another `cv`
        fitted = self._attributes(solution, samples.classes, offset is not None)
        self.__dict__.update(fitted | path.details)
        self.Cs_, self.C_ = Cs, float(Cs[best])
        self.mean_loss_ = path.mean
        self.loss_standard_error_ = path.standard_error
        self._warn_of(solution)
        if solution.converged:
            self._warn_of_path(path, best)
        return self

    def get_metadata_routing(self) -> MetadataRouter:
        """Return the metadata that `fit` requests for itself and for the splitter.

        Returns
        -------
        MetadataRouter
            Router of scikit-learn, see :ref:`sklearn:metadata_routing`.
        """
        mapping = MethodMapping().add(caller="fit", callee="split")
        router = MetadataRouter(owner=self).add_self_request(self)
        return router.add(splitter=self.cv, method_mapping=mapping)

    def _routed(
        self,
        sample_weight: AnyArray,
        classes: object,
        groups: object,
        offset: AnyArray,
        params: dict[str, object],
    ) -> dict[str, object]:
        """Return the arguments of the splitter, by name."""
        split = {"groups": groups} if groups is not None else {}
        if get_config()["enable_metadata_routing"]:
            own = {"sample_weight": sample_weight, "classes": classes, "offset": offset}
            own = {name: value for name, value in own.items() if value is not None}
            return dict(process_routing(self, "fit", **own, **split, **params)["splitter"]["split"])
        if params:
            raise TypeError(
                f"{type(self).__name__}.fit got {', '.join(params)}: enable metadata routing, "
                "sklearn.set_config(enable_metadata_routing=True), to pass these to the splitter."
            )
        return split

    def _stopping(self) -> Stopping:
        return {"tol": float(self.tol), "max_iter": self.max_iter, "solver": self.solver}

    def _compare(
        self,
        samples: LocalSamples | PartitionedSamples,
        Cs: Floats,
        factors: Floats | None,
        split: dict[str, object],
    ) -> tuple[RowSource, Path]:
        """Return the rows of a fit of all samples, and the held-out losses for each value of C.

        `split` holds the keyword arguments of ``cv.split``, such as `groups`.
        """
        rows: RowSource
        if self.cv is None:
            if split:
                raise ValueError(
                    f"{' and '.join(split)} given for a splitter, but cv is None: pass a splitter "
                    "as cv, for example GroupKFold()."
                )
            if isinstance(samples, PartitionedSamples):
                samples = gathered_if_few(samples)
            rng = check_random_state(self.random_state)
            rows = samples.rows(self.class_weight, self.n_jobs)
            path = leave_one_out(samples, rows, Cs, rng=rng, factors=factors, **self._stopping())
        else:
            rows = samples.rows(self.class_weight, self.n_jobs)
            splits = samples.splits(self.cv, split)
            fits = FoldFits(Cs, self.class_weight, self.n_jobs, factors=factors, **self._stopping())
            path = leave_folds_out(samples, splits, fits)
        if self.verbose:
            for row in zip(Cs, path.mean, path.standard_error, strict=True):
                text = "C={:.3g}: {:.6g} nats, standard error {:.2g}".format(*row)
                print(f"[{type(self).__name__}] {text}")
        return rows, path

    def _warn_of_path(self, path: Path, best: int) -> None:
        """Warn about compared fits, about samples with the largest loss, and about ends of Cs."""
        message = edge_message(self.Cs_, path.mean, path.standard_error)
        if message:
            text = f"{type(self).__name__}{message}"
            warnings.warn(text, UserWarning, stacklevel=users_stacklevel())
        if path.n_short:
            warnings.warn(
                f"{type(self).__name__}: {path.n_short} of the fits compared ended above their "
                "target gap, so their held-out losses are not exactly those of the minimum: raise "
                "max_iter, or tol if the losses are accurate enough.",
                ConvergenceWarning,
                stacklevel=users_stacklevel(),
            )
        capped = path.estimates[best].capped
        if capped:
            warnings.warn(
                f"{type(self).__name__}: {capped} held-out samples have the largest possible loss, "
                f"{MAX_LOSS:.4g} nats, because the fits without them give their class probability "
                "0. This happens if a sample is the only one of its class.",
                ZeroProbabilityWarning,
                stacklevel=users_stacklevel(),
            )
