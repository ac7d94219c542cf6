"""Models that end in a classifier of this package: pipelines, and searches over parameters."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import NoReturn, TypeAlias

from sklearn.model_selection import GridSearchCV, RandomizedSearchCV
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

from skxent.inference.column_origins import Transformer, origins_of_chain, passes_through
from skxent.inference.fitted import FittedLinearModel, is_linear_model
from skxent.inputs.features import AnyArray

# What `infer` takes.
Model: TypeAlias = FittedLinearModel | Pipeline | GridSearchCV | RandomizedSearchCV


@dataclass(frozen=True, eq=False)
class Steps:
    """The fitted transformers before a classifier, in the order of their application.

    Parameters
    ----------
    transformers : tuple of transformers
        Empty for a classifier without a pipeline.
    """

    transformers: tuple[Transformer, ...] = ()

    def transform(self, X: AnyArray) -> AnyArray:
        """Return the samples that the classifier gets for the samples `X` of the pipeline."""
        with self._explained():
            for transformer in self.transformers:
                X = transformer.transform(X)
        return X

    @contextmanager
    def _explained(self) -> Iterator[None]:
        """Add a note to errors of the transformers: which X they get."""
        try:
            yield
        except (KeyError, TypeError, ValueError) as error:
            error.add_note(
                "X is transformed by the steps of the pipeline: pass it as it was before them."
            )
            raise

    def feature_names(self, clf: FittedLinearModel) -> list[str]:
        """Return the names of the classifier's features.

        They are what `get_feature_names_out` of the transformers returns. If a transformer has no
        such method they are the names that the classifier knows, and otherwise "x0", "x1", ...
        """
        found = self._names_out()
        if found is None or len(found) != clf.n_features_in_:
            found = getattr(clf, "feature_names_in_", None)
        if found is None:
            found = [f"x{j}" for j in range(clf.n_features_in_)]
        return [str(name) for name in found]

    def _names_out(self) -> AnyArray | None:
        names = None
        try:
            for transformer in self.transformers:
                names = transformer.get_feature_names_out(names)
        except (AttributeError, NotImplementedError, TypeError, ValueError):
            return None  # a transformer has no names, or none for names that it was not fitted with
        return names

    def origins(self, names: list[str]) -> list[tuple[str, ...]]:
        """Return, for each feature of the classifier, the columns of X it is computed from.

        Parameters
        ----------
        names : list of str
            Names of the features.

        Returns
        -------
        list of tuple of str
            Names of columns of the pipeline's X. A feature that is computed from unknown columns,
            or from a mixture of all, has its own name alone, as without a pipeline.
        """
        inputs = self.names_in()
        found = origins_of_chain(self.transformers, len(inputs)) if inputs else None
        if found is None or len(found) != len(names):
            found = [None] * len(names)
        return [
            (name,) if origin is None else tuple(inputs[j] for j in origin)
            for name, origin in zip(names, found, strict=True)
        ]

    def names_in(self) -> list[str]:
        """Return the names of the columns of X; none if X has no columns, as texts."""
        first = self.transformers[0] if self.transformers else None
        default = [f"x{j}" for j in range(getattr(first, "n_features_in_", 0))]
        return [str(name) for name in getattr(first, "feature_names_in_", default)]

    def copy(self) -> Steps:
        """Return steps that a later fit of the pipeline leaves alone."""
        return copy.deepcopy(self)


def columns_by_term(origins: list[tuple[str, ...]]) -> dict[str, list[int]]:
    """Group features by the columns that they are computed from.

    Parameters
    ----------
    origins : list of tuple of str
        What `Steps.origins` returns.

    Returns
    -------
    dict of str -> list of int
        For each term the indices of its features. The name of a term is that of its column, and
        "a:b" for features that are computed from the columns a and b.
    """
    terms: dict[str, list[int]] = {}
    for j, columns in enumerate(origins):
        terms.setdefault(":".join(columns), []).append(j)
    return terms


def classifier_and_steps(model: Model) -> tuple[FittedLinearModel, Steps]:
    """Take a fitted model apart: the classifier in which it ends, and the steps before it.

    Parameters
    ----------
    model : Model

    Raises
    ------
    TypeError
        If the model does not end in a classifier of this package.
    NotFittedError
        If it is not fitted.
    """
    transformers: list[Transformer] = []
    last: Transformer = model
    while not is_linear_model(last):
        if hasattr(last, "steps"):
            transformers += [step for _, step in last.steps[:-1] if not passes_through(step)]
            last = last.steps[-1][1]
        elif _is_search(last):
            last = _best_of(last)
        else:
            _raise_kind(model, last)
    check_is_fitted(last, "coef_")
    return last, Steps(tuple(transformers))


def _is_search(model: object) -> bool:
    """Tell whether a model is a search over parameters, fitted or not."""
    return hasattr(model, "estimator") and hasattr(model, "refit")


def _best_of(search: Transformer) -> object:
    """Return the best estimator of a fitted search."""
    check_is_fitted(search)
    if not hasattr(search, "best_estimator_"):
        raise TypeError(
            f"clf is a {type(search).__name__} that has not fitted its best model on all samples: "
            "fit it with refit=True."
        )
    return search.best_estimator_


def _raise_kind(model: object, last: object) -> NoReturn:
    """Raise the error that a model does not end in a classifier of this package."""
    ends = "" if last is model else f" that ends in a {type(last).__name__}"
    raise TypeError(
        f"clf is a {type(model).__name__}{ends}: pass a fitted SoftmaxClassifier, or a pipeline "
        "that ends in one."
    )
