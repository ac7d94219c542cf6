"""The solvers by name: what each plans for the size of the data, and which steps it may take.

* *auto* takes the steps that cost least: Newton steps if the Hessian costs little, else stages of
  L-BFGS, steps with a length for each class where these stages struggle, and steps of conjugate
  gradients where they have measured a gap that is too large.
* *lbfgs* takes steps of L-BFGS only, in the same whitened coordinates. Newton steps measure the gap
  and are never taken.
* *newton* takes Newton steps with the factored Hessian of all rows only, damped if the objective
  does not fall. If rounding spoils the factor, conjugate gradients correct the step.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from skxent.likelihood import tuning
from skxent.likelihood.optimise.choices import Kind, Plan, PreconditionerChoice, plan
from skxent.likelihood.optimise.cost_model import CostModel
from skxent.likelihood.sources.base import RowSource


@dataclass(frozen=True)
class Policy:
    """How a search finds the minimum.

    Parameters
    ----------
    plan : function(RowSource) -> Plan
        Chooses preconditioners and samples by the size of the data.
    takes_stages : bool
        Whether stages of L-BFGS follow where Newton steps are not taken, or fail. If not, Newton
        steps that fail are damped.
    takes_certificate : bool
        Whether the Newton step that measures a gap is taken, if it lowers the objective, and
        whether steps with a length for each class are taken, whose directions are part of it.
    """

    plan: Callable[[RowSource], Plan]
    takes_stages: bool = True
    takes_certificate: bool = True


def plan_lbfgs(data: RowSource) -> Plan:
    """Return the plan by the size of the data, without steps other than those of L-BFGS.

    Where conjugate gradients would take the last steps, stages are longer instead.
    """
    found = plan(data)
    change: dict[str, Any] = {"newton": False}
    if found.cg_gap:
        change |= {"iterations": tuning.LONG_DIAGONAL_STAGE, "fall": tuning.LONG_FALL}
    choices = tuple(replace(choice, **change) for choice in found.choices)
    return replace(found, choices=choices, cg_gap=0.0, by_leverage=False)


def plan_newton(data: RowSource) -> Plan:
    """Return the plan with nothing but the Hessian of all rows.

    Raises
    ------
    ValueError
        If the Hessian is too wide.
    """
    costs = CostModel.of(data)
    width = costs.n_parameters
    if width > tuning.NEWTON_WIDTH:
        raise ValueError(
            f'solver="newton" needs the whole Hessian, here of {width} parameters '
            f"({data.n_features} features, {data.n_classes} classes), and {tuning.NEWTON_WIDTH} "
            'are the most: pass solver="auto", or leave out features.'
        )
    choice = PreconditionerChoice.of(Kind.HESSIAN, None, costs.passes(costs.hessian, data.n_rows))
    return Plan((replace(choice, newton=True),), ())


POLICIES = {
    "auto": Policy(plan),
    "lbfgs": Policy(plan_lbfgs, takes_certificate=False),
    "newton": Policy(plan_newton, takes_stages=False),
}
