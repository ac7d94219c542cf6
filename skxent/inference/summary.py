"""Summaries of inference as plain text and as HTML."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

import numpy as np

from skxent.inference.estimated_coefficients import EstimatedCoefficients
from skxent.inference.interval_estimates import ChiSquareTest
from skxent.metrics.tables import cut, distinct

WIDTH = 78  # width of the text, in characters
CELL = 10  # width of a column of numbers, in characters
INDENT = 2  # indentation of the names of terms, in characters

Pair = tuple[str, str]


def as_text(result: EstimatedCoefficients, test: ChiSquareTest | None) -> str:
    """Return the summary as plain text of at most 80 columns."""
    lines = [cut(_title(result), WIDTH), "=" * WIDTH]
    half = WIDTH // 2 - 1
    pairs = _facts(result, test)
    for left, right in zip(pairs[::2], [*pairs[1::2], ("", "")], strict=False):
        lines.append("  ".join(f"{k:<{half - len(v)}}{v}" for k, v in (left, right)).rstrip())
    heads = _heads(result)
    room = WIDTH - CELL * len(heads)
    terms = distinct([" ".join(term.split()) for term in result.terms], room - INDENT)
    lines += ["=" * WIDTH, " " * room + "".join(f"{head:>{CELL}}" for head in heads)]
    for label, rows in _tables(result):
        lines += ["-" * WIDTH, cut(label, WIDTH)]
        for term, (_, cells) in zip(terms, rows, strict=True):
            name = " " * INDENT + term
            lines.append(f"{name:<{room}}" + "".join(f"{c:>{CELL}}" for c in cells))
    return "\n".join([*lines, "=" * WIDTH, *_notes(result)])


def as_html(result: EstimatedCoefficients, test: ChiSquareTest | None) -> str:
    """Return the summary as HTML tables."""
    parts = ["<div>", f"<p><b>{escape(_title(result))}</b></p>", "<table>"]
    for k, v in _facts(result, test):
        parts.append(f"<tr><th>{escape(k)}</th><td>{escape(v)}</td></tr>")
    heads = "".join(f"<th>{escape(head)}</th>" for head in ("", *_heads(result)))
    parts += ["</table>", f"<table><thead><tr>{heads}</tr></thead>"]
    for label, rows in _tables(result):
        parts.append(
            f'<tbody><tr><th colspan="{1 + len(_heads(result))}">{escape(label)}</th></tr>'
        )
        for term, cells in rows:
            numbers = "".join(f"<td>{escape(cell)}</td>" for cell in cells)
            parts.append(f"<tr><th>{escape(term)}</th>{numbers}</tr>")
        parts.append("</tbody>")
    notes = "".join(f"<p>{escape(line)}</p>" for line in _notes(result))
    return "\n".join([*parts, "</table>", notes, "</div>"])


def _title(result: EstimatedCoefficients) -> str:
    if result.penalised:
        return f"Penalised likelihood, C = {result.C:g}"
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


def _tables(result: EstimatedCoefficients) -> Iterator[tuple[str, list[tuple[str, list[str]]]]]:
    """Yield the title and the rows of cells of each class."""
    low, high = np.moveaxis(result.confint(), -1, 0)
    columns = [result.coef, result.standard_errors]
    if not result.penalised:
        columns += [result.z, result.p_values]
    table = np.stack([*columns, low, high], axis=-1)
    for label, block in zip(result.contrasts, table, strict=True):
        rows = [
            (term, [_number(number) for number in row])
            for term, row in zip(result.terms, block, strict=True)
        ]
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
    if result.class_weighted:
        notes.append("Likelihoods, AIC and BIC are of data weighted by class: no ratio tests.")
    return notes


def _number(value: float) -> str:
    """Return a number with four digits, or with fewer if it would fill its column."""
    texts = [f"{value:.{digits}g}" for digits in (4, 3, 2, 1)]
    return next((text for text in texts if len(text) < CELL), texts[-1])
