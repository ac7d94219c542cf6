"""An estimator whose predictions are there already."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from skxent.metrics.shared_predictions import class_name


@dataclass(frozen=True)
class Answered:
    """Stands for an estimator where its predictions are: asked about them, it gives them back."""

    name: str
    classes_: Any

    @staticmethod
    def by(estimator: Any, logarithms: bool) -> Answered:
        """Return what stands for an estimator."""
        kind = AnsweredInLogarithms if logarithms else Answered
        return kind(class_name(estimator), getattr(estimator, "classes_", None))

    def predict_proba(self, prediction: Any) -> Any:
        """Return what the estimator predicted."""
        return prediction


class AnsweredInLogarithms(Answered):
    """Stands for one that predicted logarithms."""

    predict_log_proba = Answered.predict_proba
