r"""Separation: data whose likelihood has no finite maximum.

Along a direction :math:`\Theta` the logits of sample i change by :math:`q_i = \Theta \tilde x_i`.
The loss of the sample does not rise, from any starting point, if the logit of each class with
positive target rises by at least as much as any other logit:

.. math:: q_{ia} \ge q_{ik} \text{ for all } k \text{ and all } a \text{ with } y_{ia} > 0.

If several classes of a soft target are positive, their logits change equally. Such directions form
a cone. If all logits of each sample change equally along a direction, no loss changes. Any other
direction of the cone has a **margin** :math:`q_{ia} - q_{ik}` above zero, and the objective falls
along it without end. The likelihood has a finite maximum if and only if there is no such direction
(Albert and Anderson, 1984; Santner and Duffy, 1986). Separation is **complete** if all margins of a
direction are above zero, else **quasi-complete**.

How it is found
---------------
The sum of the margins is a linear function of the direction, and is above zero for a direction that
separates. A linear programme maximises this sum over the cone within a box (Konis, 2007). The sum
includes all samples, but few of their constraints matter, so a constraint is added only when a
solution breaks it. The constraints that are left out could only lower the maximum. If the maximum
is zero, this therefore proves at once that no direction separates; and a solution that breaks no
constraint of any sample is optimal for all of them. The next programme maximises the sum of the
margins that are still zero. Only these margins are constrained, because a small step leaves the
others above zero. This is repeated until no further margin can be made positive. Last, a direction
with the same positive margins and few features is computed: a programme minimises the sum over
features of the largest absolute coefficient, and then features are left out one by one.

The result does not depend on the tolerances of HiGHS. A direction is accepted if no margin of any
sample is below zero by more than the rounding error of float64. A margin counts as positive if it
is far above this error.

When no search is needed
------------------------
Let D be a direction that separates, and let g and H be the gradient and the Hessian at any point.
Let :math:`r_i = \max_k q_{ik} - q_i \ge 0`, which is zero for the classes of the target. Let E
and Cov be taken over classes, with the probabilities of the model. Then
:math:`-g^\top D = \sum_i w_i\, E\, r_i > 0`. If the Newton step :math:`s = -H^{-1} g` changes the
logits of sample i by :math:`u_i`, then also

.. math::

    -g^\top D = D^\top H s = -\sum_i w_i\, \mathrm{Cov}(r_i, u_i)
              = \sum_i w_i\, E[r_i (E u_i - u_i)]
              \le \max_i (\max u_i - \min u_i) \sum_i w_i\, E\, r_i,

so for some sample **the step changes the difference of two logits by at least one**. A fit without
a penalty usually ends with a Newton step that changes no logit by a tenth, which proves that a
finite maximum exists. Self-concordance bounds the distance to this maximum (Bach, 2010, see
`newton_cg.self_concordance_factor`). This proof holds for the exact step. `proof` decides whether a
computed step is near enough to the exact one. The search above is needed only if there is no proof.

References
----------
A. Albert, J. A. Anderson, "On the existence of maximum likelihood estimates in logistic regression
models", Biometrika 71, 1984. :doi:`10.1093/biomet/71.1.1`

F. Bach, "Self-concordant analysis for logistic regression", Electronic Journal of Statistics 4,
2010. :doi:`10.1214/09-EJS521`

K. Konis, "Linear programming algorithms for detecting separated data in binary logistic regression
models", thesis, University of Oxford, 2007.

T. J. Santner, D. E. Duffy, "A note on A. Albert and J. A. Anderson's conditions for the existence
of maximum likelihood estimates in logistic regression models", Biometrika 73, 1986.
:doi:`10.1093/biomet/73.3.755`
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, replace

import numpy as np
from scipy.sparse.csgraph import connected_components

from skxent.likelihood.coordinates.units import Units, read
from skxent.likelihood.existence.cone import Cone
from skxent.likelihood.existence.programmes import Undecided
from skxent.likelihood.penalty import Penalty
from skxent.likelihood.sources.first_sums import Moments
from skxent.likelihood.sources.local_rows import LocalRows
from skxent.likelihood.sources.thread_limits import one_blas_thread

__all__ = ["Separation", "Undecided", "find_separation", "find_separation_by"]

LISTED = 5  # largest number of names in a message; the other names are only counted


@dataclass(frozen=True)
class Separation:
    """A direction along which the likelihood never stops rising.

    Parameters
    ----------
    kind : "complete" or "quasi-complete"
        "complete" if all margins along this direction are above zero, else "quasi-complete".
    direction : (R, d + 1) array
        Coefficients for the original columns, intercept last: one row for two classes, else K rows
        that sum to zero. Times the columns' standard deviations, the largest is about one.
    pairs : tuple of (int, int)
        Codes of two classes that are separated from each other in at least one sample.
    features : (m,) array
        Indices of the columns of X with nonzero coefficients.
    n_samples, n_total : int
        Number of samples that are separated from some class, and of all samples with positive
        weight.
    """

    kind: str
    direction: np.ndarray
    pairs: tuple[tuple[int, int], ...]
    features: np.ndarray
    n_samples: int
    n_total: int

    def message(
        self,
        classes: np.ndarray,
        feature_names: Sequence[object] | None = None,
        cure: str = "Pass a finite C",
    ) -> str:
        """Return a message that says which classes are separated by which features, and what to do.

        Parameters
        ----------
        classes : (K,) array
            Labels, as in `classes_`.
        feature_names : sequence of str or None
            As in `feature_names_in_`; None stands for x0, x1, ...
        cure : str
            Advice about the penalty, to which the message adds advice about the features.
        """
        if feature_names is None:
            columns = [f"x{j}" for j in self.features]
        else:
            columns = [str(feature_names[j]) for j in self.features]
        what = f"{_listed(columns)} separate{'s' * (len(columns) == 1)}"
        if not columns:
            what = "the intercept alone (a class has no sample with a weight) separates"
        share = "all" if self.n_samples == self.n_total else f"{self.n_samples} of"
        return (
            f"no finite maximum of the likelihood exists, because {what} "
            f"{self._classes([repr(label) for label in np.asarray(classes).tolist()])} in {share} "
            f"{self.n_total} samples ({self.kind} separation). Coefficients grow without bound and "
            f"their size means nothing. {cure}, or drop or merge the features or categories that "
            "separate."
        )

    def _classes(self, names: list[str]) -> str:
        """Text that lists the separated classes: as groups if possible, else as pairs.

        Groups are possible if every two classes of different groups are separated, and no two
        classes of one group are.
        """
        together = np.ones((len(names), len(names)), dtype=bool)
        for a, b in self.pairs:
            together[a, b] = together[b, a] = False
        n_groups, group = connected_components(together, directed=False)
        if np.any(together != (group == group[:, None])):
            return _listed([f"{names[a]} from {names[b]}" for a, b in self.pairs])
        members = [[names[k] for k in np.flatnonzero(group == g)] for g in range(n_groups)]
        members.sort(key=len)
        if n_groups == 2:
            return " from ".join(map(_listed, members))
        groups = [_listed(some) if len(some) == 1 else f"({_listed(some)})" for some in members]
        return f"{_listed(groups)} from each other"


def find_separation(
    data: LocalRows,
    moments: Moments | None = None,
    guess: tuple[np.ndarray, np.ndarray] | None = None,
) -> Separation | None:
    """Find a direction along which the likelihood of `data` never stops rising, without a penalty.

    Parameters
    ----------
    data : LocalRows
    moments : Moments or None
        Moments of `data`, if they are known.
    guess : (coef, intercept) or None
        Parameters of a fit with large coefficients. If they separate all samples, they are used as
        the direction, and the search for one is skipped.

    Returns
    -------
    Separation or None
        None if a finite maximum exists.

    Raises
    ------
    Undecided
        If the data are too large (hundreds of parameters, or thousands if samples have few nonzero
        entries), or if HiGHS fails or takes more than `tuning.PROGRAMME_SECONDS`.
    """
    with closing(one_blas_thread()) as limit, limit:
        if moments is None:
            moments, _, units = read(data, Penalty())
            if units is not None:
                return _in_units(units, guess)
        cone = Cone(data, moments)
        direction = widest_direction(cone, guess)
        if not direction.any():
            return None
        direction = cone.fewest_features(direction)
        here = cone.survey(direction)
        either = here.pairs | here.pairs.T
        return Separation(
            kind="quasi-complete" if here.n_open or here.n_tied else "complete",
            direction=cone.leave(direction),
            pairs=tuple((int(a), int(b)) for a, b in np.argwhere(np.triu(either))),
            features=np.flatnonzero(cone.used(direction)),
            n_samples=here.n_samples,
            n_total=here.n_total,
        )


def separates_all(data: LocalRows, guess: tuple[np.ndarray, np.ndarray]) -> bool:
    """Tell whether the parameters of a fit, (coef, intercept), separate all samples."""
    with closing(one_blas_thread()) as limit, limit:
        moments, _, units = read(data, Penalty())
        if units is not None:
            return False
        cone = Cone(data, moments)
        here = cone.survey(cone.enter(*guess))
        return here.n_open + here.n_tied == 0


def widest_direction(cone: Cone, guess: tuple[np.ndarray, np.ndarray] | None) -> np.ndarray:
    """Return a direction of the cone with as many clear margins as possible, or zeros.

    `guess` and the error are those of `find_separation`.
    """
    direction = np.zeros(cone.shape)
    here = cone.survey(direction)
    if guess is not None:
        trial = cone.enter(*guess)
        there = cone.survey(trial)
        if there.n_open + there.n_tied == 0:
            direction, here = trial, there
    while here.n_open:
        gain = cone.steepest(direction, here.slope)
        if gain is None:
            break
        trial = cone.step(direction, gain)
        there = cone.survey(trial)
        if there.n_open >= here.n_open:
            break
        direction, here = trial, there
    return direction if here.n_samples else np.zeros(cone.shape)


def find_separation_by(
    data: LocalRows, mask: np.ndarray | None, guess: tuple[np.ndarray, np.ndarray]
) -> Separation | None:
    """Find a separation by the columns in a mask, as `find_separation`; None means all columns.

    The direction in the result is for all columns.
    """
    if mask is None or mask.all():
        return find_separation(data, guess=guess)
    columns, n_features = np.flatnonzero(mask), len(mask)
    some = data.with_columns(columns)
    found = find_separation(some, guess=(guess[0][:, columns], guess[1]))
    if found is None:
        return None
    direction = np.zeros((len(found.direction), n_features + 1))
    direction[:, np.append(columns, n_features)] = found.direction
    return replace(found, direction=direction, features=columns[found.features])


def _in_units(units: Units, guess: tuple[np.ndarray, np.ndarray] | None) -> Separation | None:
    """`find_separation` for rescaled columns, if squares of columns overflow or underflow.

    The direction in the result is for the original columns.
    """
    data = units.data.in_memory()
    assert data is not None
    found = find_separation(data, units.moments, guess and units.enter(*guess))
    if found is None:
        return None
    coef, intercept = units.leave(found.direction[:, :-1], found.direction[:, -1])
    return replace(found, direction=np.column_stack([coef, intercept]))


def _listed(names: list[str]) -> str:
    if len(names) > LISTED:
        names = [*names[:LISTED], f"{len(names) - LISTED} more"]
    return " and ".join(filter(None, [", ".join(names[:-1]), *names[-1:]]))
