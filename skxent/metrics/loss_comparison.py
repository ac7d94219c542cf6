"""Models against a baseline by losses that others have computed, such as one for each token."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from skxent.inputs.compared_models import argument_of, check_baseline
from skxent.inputs.grouped_losses import GivenLosses
from skxent.inputs.labels import as_labels
from skxent.inputs.namespaces import Codes
from skxent.inputs.shapes import check_length
from skxent.inputs.weights import check_two_pieces
from skxent.metrics.comparison import Comparison, Options, method_of, paired, tested
from skxent.metrics.means import copies_and_shares, scaled_weights
from skxent.metrics.ratio_means import Summed, summed_by_piece

SAME = 1e-9  # relative difference of the units of one document up to which they count as equal


def compare_losses(
    losses: Mapping[str, Any],
    *,
    baseline: str,
    groups: Any = None,
    units: Any = None,
    sample_weight: Any = None,
    level: float = 0.95,
    correction: str | None = "holm",
    base: float | None = None,
) -> Comparison:
    r"""Compare models with a baseline by losses that others have computed, paired.

    Parameters
    ----------
    losses : dict of str to array-like of shape (n,), or to list of D array-like
        Losses of each model in nats, each at least 0, for the same samples or tokens in the same
        order. A list has one array for each document, in the same order for all models. Its
        documents are groups.
    baseline : str
        Name of the model that the others are compared with.
    groups : array-like of shape (n,) or (D,), or dict of str to array-like, default=None
        Labels of groups, such as documents, whose losses may depend on each other: one for each
        loss, or for each array of a list. A dict has the labels of each model, if the models cut
        the text into different tokens.
    units : array-like of shape (n,) or (D,), list of D array-like, or dict of these, default=None
        Number of bytes (or characters, words) of each loss, or of each array of a list. Models are
        then compared by their loss for each unit. A dict has the units of each model's losses. All
        models must have the same units in a group, because they predict the same text.
    sample_weight : array-like of shape (n,), list of D array-like, or dict of these, default=None
        Weight w_i counts loss i that many times; weights that are not all whole are importances. A
        mask of False or 0 leaves losses out, whatever their value. A dict has the weights of each
        model.
    level : float, default=0.95
        Level of the intervals.
    correction : "holm" or None, default="holm"
        Adjustment of p-values for the number of models, as in :func:`compare`.
    base : float, default=None
        Base of the logarithm in the result. None gives nats, 2 gives bits. The losses are in nats.

    Returns
    -------
    Comparison
        A row for each model but the baseline, as :func:`compare` gives it. If the models have
        different numbers of losses, its `n` is the number of groups.

    Raises
    ------
    ValueError
        If a loss that has weight is negative or not finite, models have different numbers of losses
        and no units or no groups are given, a group has no losses of a model, units differ between
        models, or there is one sample or group.

    See Also
    --------
    compare : From predictions.
    mean_loss_interval : The interval, its weights, its groups and its units.
    CrossEntropySum : The sums alone, for losses that do not fit in memory.

    Notes
    -----
    The test is that of :func:`compare`: of the differences of two models' losses, sample by sample,
    with sums by group if the samples depend on each other. Tokens of one document do, so that an
    interval that treats them as independent is far too short.

    A mean loss for each token depends on the tokens. A model with longer tokens has fewer of them,
    each with a larger loss. Models with different tokenisations can be compared by their loss for
    each unit of the same text instead. With the losses :math:`N_{mg}` of model m for document g,
    which has :math:`U_g` units,

    .. math:: R_m = \frac{\sum_g N_{mg}}{\sum_g U_g}, \qquad
              R_m - R_b = \frac{\sum_g (N_{mg} - N_{bg})}{\sum_g U_g},

    and the standard error is that of a ratio, by the delta method with documents as clusters
    [1]_. Pairs are then documents: single tokens of two tokenisations do not correspond.

    Units of documents count whole, also if a mask leaves out some of their tokens. A document none
    of whose tokens has weight is left out, with its units. Units of single losses count for the
    losses that have weight.

    Dask collections are copied to this process, once: all their rows must fit in memory.

    References
    ----------
    .. [1] W. G. Cochran, "Sampling techniques", 3rd edition, chapter 6, Wiley, 1977.

    Examples
    --------
    Two models with different tokens, and three documents of 20, 10 and 30 bytes:

    >>> import numpy as np
    >>> from skxent import compare_losses
    >>> words = [np.array([4.0, 5.5, 6.0]), np.array([3.0, 4.5]), np.array([6.5, 5.0, 4.0, 7.0])]
    >>> characters = [np.full(20, 0.9), np.full(10, 0.85), np.full(30, 0.95)]
    >>> models = {"words": words, "characters": characters}
    >>> found = compare_losses(models, baseline="words", units=[20, 10, 30], base=2)
    >>> print(f"{found.difference[0]:.3f} {found.unit}, p = {found.p_value[0]:.3f}")
    0.228 bits per unit, p = 0.061
    """
    options = Options(level, correction, base)
    check_baseline(losses, baseline, "losses")
    given = {
        name: GivenLosses.read(
            own, argument_of(sample_weight, name, losses, "sample_weight"), f"losses[{name!r}]"
        )
        for name, own in losses.items()
    }
    codes, names = _groups(given, groups)
    if units is not None:
        summed = {
            name: summed_by_piece(
                own,
                None if codes is None else codes[name],
                *own.units(argument_of(units, name, losses, "units")),
            )
            for name, own in given.items()
        }
        return _compared_by_unit(summed, baseline, names, options)
    _check_same_samples(given, codes)
    first = given[baseline]
    copies, shares = copies_and_shares(scaled_weights(first.weight), len(first))
    values = {name: own.values for name, own in given.items()}
    own = None if codes is None else codes[baseline]
    return paired(values, baseline, copies, shares, own, options)


def _groups(
    given: Mapping[str, GivenLosses], groups: Any
) -> tuple[dict[str, Codes] | None, np.ndarray]:
    """Return the group of each loss of each model as a code, and the names of the groups."""
    if isinstance(groups, Mapping):
        rows = [argument_of(groups, name, given, "groups") for name in given]
        labels = [
            own.labels(row, f"groups[{name!r}]")
            for row, (name, own) in zip(rows, given.items(), strict=True)
        ]
        together = as_labels(np.concatenate([each.source for each in labels]), "groups")
        ends = np.cumsum([len(each) for each in labels])
        parts = np.split(together.codes, ends[:-1])
        codes = {
            name: own.by_loss(part) for part, (name, own) in zip(parts, given.items(), strict=True)
        }
        return codes, together.distinct
    _check_same_count(given, groups)
    found = {name: own.codes(groups) for name, own in given.items()}
    known = {name: codes for name, codes in found.items() if codes is not None}
    if not known:
        return None, np.empty(0)
    first = next(iter(given.values()))
    if groups is None:
        return known, np.arange(first.n_rows)
    return known, first.labels(groups).distinct


def _check_same_count(given: Mapping[str, GivenLosses], groups: Any) -> None:
    """Require the same numbers of rows, arrays or lists of all models."""
    (a, first), *others = given.items()
    for b, own in others:
        if (own.lengths is None) != (first.lengths is None):
            raise ValueError(
                f"losses[{a!r}] is {_form(first)} but losses[{b!r}] is {_form(own)}: pass lists "
                "with an array for each document for both."
            )
        if own.n_rows != first.n_rows:
            what = "losses" if own.lengths is None else "arrays"
            cure = (
                "if they predict the same text in different tokens, pass lists with an array for "
                "each document, or groups={model: labels}, and units, such as bytes."
                if own.lengths is None
                else "pass an array for each document, the same documents for all models."
            )
            raise ValueError(
                f"losses[{a!r}] has {first.n_rows} {what} but losses[{b!r}] has {own.n_rows}: "
                f"{cure}"
            )


def _form(given: GivenLosses) -> str:
    return "an array" if given.lengths is None else "a list of arrays"


def _check_same_samples(given: Mapping[str, GivenLosses], codes: dict[str, Codes] | None) -> None:
    """Require losses that can be paired one by one: equal lengths, groups and weights."""
    (a, first), *others = given.items()
    for b, own in others:
        if len(own) != len(first) or not np.array_equal(
            own.by_loss(np.arange(own.n_rows)), first.by_loss(np.arange(first.n_rows))
        ):
            raise ValueError(
                f"losses[{a!r}] and losses[{b!r}] have different numbers of losses, "
                f"{len(first)} and {len(own)} in all: a mean for each token cannot be compared. "
                "Pass units, such as the bytes of each document."
            )
        if codes is not None and not np.array_equal(codes[a], codes[b]):
            raise ValueError(
                f"groups of {a!r} and {b!r} differ, so their losses are not of the same tokens: "
                "pass units, such as the bytes of each loss."
            )
        same = own.weight is first.weight or (
            own.weight is not None
            and first.weight is not None
            and np.array_equal(own.weight, first.weight)
        )
        if not same:
            raise ValueError(
                f"sample_weight of {a!r} and {b!r} differ, so their losses cannot be paired: pass "
                "one sample_weight for all models, or units."
            )


def _compared_by_unit(
    summed: Mapping[str, Summed], baseline: str, names: np.ndarray, options: Options
) -> Comparison:
    """Compare the losses of models for each unit, paired by group."""
    base = summed[baseline]
    for name, own in summed.items():
        _check_same_units(own, base, f"{name!r}", f"{baseline!r}", names)
    differences = {
        name: base.pieces.estimate(
            own.sums - base.sums, float(max(own.sums.max(), base.sums.max()))
        )
        for name, own in summed.items()
        if name != baseline
    }
    whole = next(iter(differences.values()))
    check_two_pieces(whole.n_pieces, base.present)
    counts = {own.pieces.n for own in summed.values()}
    n = whole.n if len(counts) == 1 else whole.n_pieces
    means = {name: base.pieces.estimate(own.sums, 0.0).mean for name, own in summed.items()}
    method = method_of(whole, base.present)
    return tested(means, baseline, differences, n, method, options, per=" per unit")


def _check_same_units(own: Summed, base: Summed, a: str, b: str, names: np.ndarray) -> None:
    """Require the same groups, and the same units in each."""
    if base.present is None or own.present is None:
        check_length(f"losses[{a}]", len(own.sums), len(base.sums), f"losses[{b}]")
        rows = np.arange(len(base.sums))
    else:
        alone = np.setxor1d(own.present, base.present)
        if len(alone):
            g = int(alone[0])
            model = a if g in base.present else b
            raise ValueError(
                f"group {names[g].item()!r} has no losses of {model} that have weight: pass losses "
                "of the same documents for all models."
            )
        rows = names[base.present]
    mine, theirs = own.pieces.units, base.pieces.units
    differs = np.flatnonzero(np.abs(mine - theirs) > SAME * np.maximum(mine, theirs))
    if len(differs) or not np.array_equal(own.pieces.copies, base.pieces.copies):
        i = int(differs[0]) if len(differs) else 0
        what = "sample" if base.present is None else "group"
        raise ValueError(
            f"{what} {rows[i].item()!r} has {mine[i]:g} units of {a} but {theirs[i]:g} of {b}: the "
            "models must predict the same text. If masks leave out different parts of it, pass the "
            "units of each document, the same for all models."
        )
