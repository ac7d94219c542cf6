"""Summaries of inference as plain text and as HTML."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from html import escape

import numpy as np

from skxent.inference.estimated_coefficients import EstimatedCoefficients
from skxent.inference.interval_estimates import ChiSquareTest
from skxent.metrics.short_names import cut, distinct, prefix_note, without_prefixes
from skxent.metrics.tables import line_width, significant

WIDTH = 78  # least width of the text, in characters
CELL = 10  # width of a column of numbers, in characters
INDENT = 2  # indentation of the names of terms, in characters

Pair = tuple[str, str]


def as_text(result: EstimatedCoefficients, test: ChiSquareTest | None) -> str:
    """Return the summary as plain text, 78 columns wide, or wider for long names."""
    heads, cells = _heads(result), CELL * len(_heads(result))
    names, prefixes = without_prefixes([" ".join(term.split()) for term in result.terms])
    width = max(WIDTH, min(line_width(), cells + INDENT + max(map(len, names)) + 1))
    room = width - cells
    short = distinct(names, room - INDENT)
    lines = [cut(_title(result), width), "=" * width, *_two_columns(_facts(result, test), width)]
    lines += ["=" * width, " " * room + "".join(f"{head:>{CELL}}" for head in heads)]
    for label, rows in _tables(result):
        lines += ["-" * width, cut(label, width)]
        for term, row in zip(short, rows, strict=True):
            name = " " * INDENT + term
            lines.append(f"{name:<{room}}" + "".join(f"{cell:>{CELL}}" for cell in row))
    notes = [textwrap.fill(note, width) for note in [*_notes(result), *prefix_note(prefixes)]]
    return "\n".join([*lines, "=" * width, *notes])


def _two_columns(facts: Sequence[Pair], width: int) -> Iterator[str]:
    """Yield lines with two facts each, names on the left and values on the right."""
    half = width // 2 - 1
    for left, right in zip(facts[::2], [*facts[1::2], ("", "")], strict=False):
        yield "  ".join(f"{k:<{half - len(v)}}{v}" for k, v in (left, right)).rstrip()


def as_html(result: EstimatedCoefficients, test: ChiSquareTest | None) -> str:
    """Return the summary as HTML tables."""
    names, prefixes = without_prefixes(result.terms)
    parts = ["<div>", f"<p><b>{escape(_title(result))}</b></p>", "<table>"]
    for k, v in _facts(result, test):
        parts.append(f"<tr><th>{escape(k)}</th><td>{escape(v)}</td></tr>")
    heads = "".join(f"<th>{escape(head)}</th>" for head in ("", *_heads(result)))
    parts += ["</table>", f"<table><thead><tr>{heads}</tr></thead>"]
    for label, rows in _tables(result):
        parts.append(
            f'<tbody><tr><th colspan="{1 + len(_heads(result))}">{escape(label)}</th></tr>'
        )
        for term, cells in zip(names, rows, strict=True):
            numbers = "".join(f"<td>{escape(cell)}</td>" for cell in cells)
            parts.append(f"<tr><th>{escape(term)}</th>{numbers}</tr>")
        parts.append("</tbody>")
    notes = [*_notes(result), *prefix_note(prefixes)]
    return "\n".join([*parts, "</table>", *(f"<p>{escape(note)}</p>" for note in notes), "</div>"])


def _title(result: EstimatedCoefficients) -> str:
    if result.penalised:
        return f"Penalised likelihood, C = {result.C:g}"
    if result.separated:
        return "Limit of the likelihood of separated classes"
    if result.bias_reduced:
        return "Likelihood with Jeffreys' prior (Firth's bias reduction)"
    return "Maximum likelihood"


def _facts(result: EstimatedCoefficients, test: ChiSquareTest | None) -> list[Pair]:
    facts = [
        ("Observations", f"{result.n_observations:.10g}"),
        ("Log-likelihood", f"{result.log_likelihood:.8g}"),
        ("Effective parameters" if result.penalised else "Parameters", f"{result.df:.6g}"),
        ("Log-likelihood, null model", f"{result.null_log_likelihood:.8g}"),
        ("AIC", f"{result.aic:.8g}"),
        ("Deviance", f"{result.deviance:.8g}"),
        ("BIC", f"{result.bic:.8g}"),
        ("McFadden's pseudo R2", f"{result.pseudo_r2:.6g}"),
        ("Covariance", result.covariance_type),
    ]
    if test is not None:
        facts += [
            (f"Likelihood ratio, chi2({test.df})", f"{test.statistic:.6g}"),
            ("", ""),
            ("P(>chi2)", f"{test.p_value:.4g}"),
        ]
    return facts


def _heads(result: EstimatedCoefficients) -> list[str]:
    if result.penalised:
        spread = "std dev" if result.covariance_type == "observed" else "std err"
        return ["mode", spread, "2.5 %", "97.5 %"]
    return ["coef", "std err", "z", "P(>|z|)", "2.5 %", "97.5 %"]


def _tables(result: EstimatedCoefficients) -> Iterator[tuple[str, list[list[str]]]]:
    """Yield the title and the rows of cells of each class, a row for each term."""
    low, high = np.moveaxis(result.confint(), -1, 0)
    columns = [result.coef, result.standard_errors]
    if not result.penalised:
        columns += [result.z, result.p_values]
    table = np.stack([*columns, low, high], axis=-1)
    for label, block in zip(result.contrasts, table, strict=True):
        rows = [[significant(number) for number in row] for row in block]
        yield f"{label} against {result.reference}", rows


def _notes(result: EstimatedCoefficients) -> list[str]:
    notes = []
    if result.penalised and result.covariance_type == "observed":
        variance = "C" if result.penalty_factor is None else "C / penalty_factor"
        notes.append(
            f"Intervals are posterior intervals for the prior N(0, {variance}). No p-values."
        )
    elif result.penalised:
        notes.append("Intervals are for the expectation of shrunk coefficients. No p-values.")
    if result.bias_reduced:
        notes.append("Intervals are Wald intervals; confint(method='profile') has better ones.")
    if result.separated:
        undetermined = np.isnan(result.coef).any()
        notes.append(
            "Classes are separated: infinite coefficients grow without bound"
            + (", and the likelihood does not determine those that are n/a" * bool(undetermined))
            + ". They have no Wald intervals; confint(method='profile') has intervals."
        )
    if result.class_weighted:
        notes.append("Likelihoods, AIC and BIC are of data weighted by class: no ratio tests.")
    return notes
