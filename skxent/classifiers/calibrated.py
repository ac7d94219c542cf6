"""A classifier with calibrated predictions."""

from __future__ import annotations

import warnings
from functools import partial
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn import get_config
from sklearn.base import MetaEstimatorMixin, clone
from sklearn.frozen import FrozenEstimator
from sklearn.utils import Tags, get_tags
from sklearn.utils.metadata_routing import UNUSED, MetadataRouter, MethodMapping, process_routing
from sklearn.utils.validation import check_is_fitted, has_fit_parameter

from skxent.classifiers.calibration import CalibratedPredictions, LogitCalibrator
from skxent.classifiers.calibration_fit import Calibration
from skxent.classifiers.held_out_predictions import (
    RESPONSES,
    HeldOut,
    HeldOutFit,
    check_no_offset,
    classes_of,
    cross_fitted,
    fit_folds,
    log_response,
)
from skxent.classifiers.linear_classifier import restored_on_error
from skxent.inputs.array_arguments import as_array
from skxent.inputs.calibration_data import truth_about
from skxent.inputs.dask_arguments import computed
from skxent.inputs.features import AnyArray
from skxent.inputs.fit_targets import FitTargets, Floats, sample_weights
from skxent.inputs.options import check_option
from skxent.inputs.parameters import calibration_penalty, calibration_smoothing, check_tolerance
from skxent.inputs.row_order import warn_of_row_order
from skxent.inputs.splits import Split, check_holds_out, read_splits
from skxent.inputs.stacklevel import users_stacklevel
from skxent.inputs.weights import group_codes
from skxent.metrics.calibration_maps import FAMILIES
from skxent.metrics.comparison import compare


class CalibratedClassifier(MetaEstimatorMixin, CalibratedPredictions):
    """A classifier together with a calibrator of its predictions.

    `fit` predicts each sample by a clone of the classifier that was fitted without the sample's
    fold, fits a :class:`LogitCalibrator` to these held-out predictions, and fits the classifier to
    all samples. Predictions are those of the classifier, calibrated.

    Parameters
    ----------
    estimator : classifier
        The classifier, with `predict_proba` or `decision_function`. A pipeline is a classifier,
        too. A fitted classifier in `sklearn.frozen.FrozenEstimator` is not fitted again. It is
        calibrated on all samples that `fit` gets, which must not be those that it was trained on.
    method : {"temperature", "bias", "vector", "matrix"}, default="temperature"
        The calibrator, see :class:`LogitCalibrator`.
    C : "loo" or float, default="loo"
        Inverse strength of the calibrator's penalty, see :class:`LogitCalibrator`.
    smoothing : "loo", "auto" or float, default="loo"
        Share of the uniform distribution that is mixed into predictions before they are calibrated,
        see :class:`LogitCalibrator`. "auto" is "loo", whatever the classifier predicts.
    cv : int, splitter, iterable or None, default=5
        The folds. An integer is a number of folds, stratified by class; None means 5. Other folds
        are given by a splitter of scikit-learn or by pairs of indices, (train, test). Samples that
        no fold holds out are not part of the calibration. For a frozen classifier the folds serve
        only to measure what the calibration gains.
    response_method : str, default="auto"
        What the classifier predicts. "predict_proba": its probabilities, of at least 2.2e-16.
        "predict_log_proba": its log-probabilities, however small. "decision_function": its decision
        values, taken as logits. "auto" is "predict_proba" if the classifier has it, and else
        "decision_function".
    tol : float, default=1e-6
        Tolerance of the gap of the calibrator's fit, in nats.
    n_jobs : int or None, default=None
        Number of folds to fit in parallel.

    Attributes
    ----------
    estimator_ : classifier
        The classifier, fitted to all samples, or the frozen one.
    calibrator_ : LogitCalibrator
        The calibrator, fitted to the held-out log-probabilities.
    classes_ : ndarray of shape (K,)
        The classes of `estimator_`.
    held_out_loss_before_ : float
        Mean cross-entropy of the held-out predictions, in nats.
    held_out_loss_after_ : float
        Mean cross-entropy of the held-out predictions, calibrated, in nats. Each fold is calibrated
        by the other folds, so that no sample is part of the fit of its own calibrator.
    held_out_comparison_ : Comparison
        The difference of the two losses with its confidence interval. It prints as a table.
    n_features_in_ : int
        Number of features, if `estimator_` has this attribute.
    feature_names_in_ : ndarray
        Names of the features, if `estimator_` has this attribute.

    See Also
    --------
    LogitCalibrator : The calibrator alone, for predictions that you have.
    sklearn.calibration.CalibratedClassifierCV : Other calibrators, among them isotonic regression.

    Notes
    -----
    **Decision values.** For a classifier without probabilities, such as `sklearn.svm.SVC`, the loss
    before calibration is that of its decision values as logits. If it is large, they are no logits.

    **A fold that lacks a class.** If all samples of a class are held out together, the classifier
    that predicts them does not know the class. These samples say nothing about the calibration of
    the classifier that knows it. They are left out of the calibrator and of the losses. A warning
    tells their number.

    **Interval.** It treats groups, or samples without `groups`, as independent. The fits of folds
    share training samples, so it is somewhat too short for fits to new data.

    The predictions for a sample that several folds hold out share its weight, and count as one.

    **Labels** are those of the classifier itself, if the method is "temperature" and the classifier
    predicts the class of its largest probability.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from sklearn.naive_bayes import GaussianNB
    >>> from skxent import CalibratedClassifier
    >>> X, y = load_digits(return_X_y=True)
    >>> clf = CalibratedClassifier(GaussianNB()).fit(X, y)
    >>> print(f"{clf.held_out_loss_before_:.2f} nats, {clf.held_out_loss_after_:.2f} calibrated")
    4.00 nats, 0.71 calibrated
    """

    # In metadata routing the splitter requests `groups`, and the classifier itself does not.
    __metadata_request__fit: ClassVar[dict[str, Any]] = {"groups": UNUSED}

    def __init__(
        self,
        estimator: Any,
        *,
        method: str = "temperature",
        C: str | float = "loo",
        smoothing: str | float = "loo",
        cv: Any = 5,
        response_method: str = "auto",
        tol: float = 1e-6,
        n_jobs: int | None = None,
    ) -> None:
        self.estimator = estimator
        self.method = method
        self.C = C
        self.smoothing = smoothing
        self.cv = cv
        self.response_method = response_method
        self.tol = tol
        self.n_jobs = n_jobs

    @restored_on_error
    def fit(
        self,
        X: AnyArray,
        y: ArrayLike,
        sample_weight: ArrayLike | None = None,
        groups: ArrayLike | None = None,
        **params: Any,
    ) -> Self:
        """Fit the classifier and its calibrator.

        Parameters
        ----------
        X : array-like of shape (n, d)
            Samples, as the classifier takes them.
        y : array-like of shape (n,) or (n, K)
            Labels, or soft targets if the classifier takes them.
        sample_weight : array-like of shape (n,) or None, default=None
            Weights, for the calibrator, for the held-out losses, and for the classifier if its
            `fit` takes weights.
        groups : array-like of shape (n,) or None, default=None
            Passed to ``cv.split``, which keeps the samples of a group together if `cv` is, for
            example, `sklearn.model_selection.GroupKFold`.
        **params : dict
            Other arguments of ``estimator.fit``. With metadata routing also those of ``cv.split``,
            by the names that the splitter requests.

        Returns
        -------
        CalibratedClassifier
            The fitted classifier itself.

        Raises
        ------
        ValueError
            If a parameter or the folds have an invalid value, if `y` has a class that a frozen
            classifier lacks, or if the classifier is fitted with an offset.
        TypeError
            If the classifier lacks `response_method`, or has no method that "auto" can take.

        Warns
        -----
        UserWarning
            If held-out samples are left out because the fit on their fold lacks their class, if a
            class has no weight, or if the classifier takes no weights.
        ConvergenceWarning
            If the calibrator has no finite optimum, see :class:`LogitCalibrator`.
        """
        check_option("method", self.method, tuple(FAMILIES))
        check_option("response_method", self.response_method, ("auto", *RESPONSES))
        check_tolerance(self.tol)
        calibration_penalty(self.C)
        calibration_smoothing(self.smoothing)
        if isinstance(self.cv, str):
            raise ValueError(
                f"cv={self.cv!r}: pass a number of folds, a splitter, or pairs of indices. For a "
                "fitted classifier pass estimator=sklearn.frozen.FrozenEstimator(classifier)."
            )
        X, y, sample_weight, groups = computed(X, y, sample_weight, groups)
        warn_of_row_order(X, "X", y=y, sample_weight=sample_weight)
        found = FitTargets.read(y, None)
        weight = sample_weights(sample_weight, len(found.values))
        fit_params, split_params = self._routed(sample_weight, groups, params)
        check_no_offset(self.estimator, fit_params)
        codes = found.codes
        groups = split_params.get("groups", groups)
        groups = None if groups is None else group_codes(groups, len(codes), "y")
        splits = read_splits(self.cv, X, codes, split_params, len(codes))
        check_holds_out(splits)
        self.estimator_ = self._fitted(X, y, fit_params)
        truth = truth_about(found, y, classes_of(self.estimator_))
        everything, held_out = self._predictions(X, y, splits, fit_params, truth.values)
        self.classes_ = as_array(self.estimator_.classes_, "classes_")
        self._calibrate(everything, truth, weight)
        self._measure(held_out, truth, weight, groups)
        for name in ("n_features_in_", "feature_names_in_"):
            self.__dict__.pop(name, None)
            if hasattr(self.estimator_, name):
                setattr(self, name, getattr(self.estimator_, name))
        return self

    def get_metadata_routing(self) -> MetadataRouter:
        """Return the metadata that `fit` requests for the classifier and for the splitter.

        Returns
        -------
        MetadataRouter
            Router of scikit-learn, see :ref:`sklearn:metadata_routing`.
        """
        to_fit = MethodMapping().add(caller="fit", callee="fit")
        to_split = MethodMapping().add(caller="fit", callee="split")
        router = MetadataRouter(owner=self).add_self_request(self)
        router.add(estimator=self.estimator, method_mapping=to_fit)
        return router.add(splitter=self.cv, method_mapping=to_split)

    def _routed(
        self, sample_weight: Any, groups: Any, params: dict[str, Any]
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return the keyword arguments of the classifier's `fit` and of the splitter's `split`."""
        given = {"sample_weight": sample_weight, "groups": groups}
        given = {name: value for name, value in given.items() if value is not None}
        if get_config()["enable_metadata_routing"]:
            routed = process_routing(self, "fit", **given, **params)
            return dict(routed["estimator"]["fit"]), dict(routed["splitter"]["split"])
        split = {"groups": given.pop("groups")} if groups is not None else {}
        if given and not self._is_frozen and not has_fit_parameter(self.estimator, "sample_weight"):
            given = {}
            warnings.warn(
                f"{type(self).__name__}: {type(self.estimator).__name__}.fit takes no "
                "sample_weight, so the weights count only in the calibration. If the classifier is "
                "a pipeline, enable metadata routing, "
                "sklearn.set_config(enable_metadata_routing=True), and request the weights with "
                "set_fit_request.",
                stacklevel=users_stacklevel(),
            )
        return given | params, split

    @property
    def _is_frozen(self) -> bool:
        return isinstance(self.estimator, FrozenEstimator)

    def _fitted(self, X: Any, y: Any, params: dict[str, Any]) -> Any:
        """Return the classifier, fitted to all samples unless it is frozen."""
        if self._is_frozen:
            return self.estimator
        return clone(self.estimator).fit(X, y, **params)

    def _predictions(
        self, X: Any, y: Any, splits: list[Split], params: dict[str, Any], target: np.ndarray
    ) -> tuple[HeldOut, HeldOut]:
        """Return the predictions that the calibrator is fitted to, and those that measure it."""
        if self._is_frozen:
            log_p, _ = log_response(self.estimator_, X, self.response_method)
            return HeldOut.of_fitted(log_p, splits, every=True), HeldOut.of_fitted(log_p, splits)
        template = HeldOutFit(self.estimator, self.response_method, tuple(params))
        fits = fit_folds(template, X, y, splits, params, self.n_jobs)
        held_out = HeldOut.of_fits(fits, splits, classes_of(self.estimator_), target)
        return held_out, held_out

    def _calibrate(self, held_out: HeldOut, truth: FitTargets, weight: Floats | None) -> None:
        """Fit the calibrator."""
        target = truth.values[held_out.rows]
        weight = held_out.weights(truth.values, weight)
        if n_left_out := np.count_nonzero(~held_out.is_known(truth.values)):
            warnings.warn(
                f"{type(self).__name__}: {n_left_out} held-out samples are left out of the "
                "calibration, because the training samples of their fold lack their class: pass a "
                "stratified cv, or fewer folds.",
                stacklevel=users_stacklevel(),
            )
        calibrator = LogitCalibrator(
            self.method,
            C=self.C,
            smoothing="loo" if self.smoothing == "auto" else self.smoothing,
            from_logits=True,
            tol=self.tol,
        )
        y = self.classes_[target] if target.ndim == 1 else target
        self.calibrator_ = calibrator.fit(held_out.log_p, y, weight, classes=self.classes_)

    def _measure(
        self, held_out: HeldOut, truth: FitTargets, weight: Floats | None, groups: np.ndarray | None
    ) -> None:
        """Compare the losses of held-out samples before and after calibration."""
        target, weight = truth.values[held_out.rows], held_out.weights(truth.values, weight)
        C, tol = calibration_penalty(self.C), float(self.tol)
        smoothing = calibration_smoothing(self.smoothing)
        fit = partial(Calibration.of, self.method, tol=tol, C=C, smoothing=smoothing)
        after = cross_fitted(held_out, target, weight, fit)
        found = compare(
            target,
            {"uncalibrated": held_out.log_p, "calibrated": after},
            baseline="uncalibrated",
            from_logits=True,
            labels=np.arange(len(self.classes_)),
            sample_weight=weight,
            groups=held_out.units(groups),
        )
        self.held_out_comparison_ = found
        self.held_out_loss_before_ = found.baseline_mean
        self.held_out_loss_after_ = float(found.mean[0])

    def decision_function(self, X: AnyArray) -> Floats:
        """Logits of calibrated predictions.

        Parameters
        ----------
        X : array-like of shape (n, d)
            Samples, as the classifier takes them.

        Returns
        -------
        ndarray of shape (n,) or (n, K)
            Logits. Two classes have one logit, of the second class.
        """
        check_is_fitted(self, "calibrator_")
        log_p, _ = log_response(self.estimator_, X, self.response_method)
        return self.calibrator_.decision_function(log_p)

    def __sklearn_tags__(self) -> Tags:
        tags, own = super().__sklearn_tags__(), get_tags(self.estimator)
        tags.input_tags = own.input_tags
        tags.classifier_tags.multi_class = own.classifier_tags.multi_class
        return tags
