"""Pictures of the race in docs/_static/speed.json, for the scripts docs/pictures/speed_*.py."""

import json
from pathlib import Path

from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

RESULTS = Path(__file__).parents[1] / "_static" / "speed.json"
NEAR_ENOUGH = 1e-6
LEAST = 1e-11  # distances below are rounding, and are drawn here
# Colour, style and mark of each library's line.
LOOKS = {
    "skxent": ("C0", "-", "o"),
    "scikit-learn": ("C1", "-", "s"),
    "cyanure": ("C3", "-", "^"),
    "liblinear": ("C2", "-", "D"),
    "glum": ("C4", "-", "v"),
    "intelex": ("C1", ":", "x"),
    "statsmodels": ("C2", ":", "P"),
}


def problems():
    """All problems of the race."""
    return json.loads(RESULTS.read_text(encoding="utf-8"))["problems"]


def draw_ratios(figure):
    """The ratio of each problem as a point, the largest at the top."""
    compared = sorted((p for p in problems() if p["ratio"]), key=lambda p: p["ratio"])
    axes = figure.subplots()
    axes.axvline(1, color="C4", linewidth=1)
    for height, p in enumerate(compared):
        ours = p["ratio"] >= 1
        axes.plot(
            [1, p["ratio"]], [height, height], color="C0" if ours else "C1", linewidth=1.5, zorder=1
        )
        axes.plot(p["ratio"], height, "o" if ours else "s", color="C0" if ours else "C1", zorder=2)
    axes.set_yticks(range(len(compared)), [p["name"] for p in compared], fontsize=8)
    axes.set(xscale="log", xlabel="fastest rival's time / time of skxent", ylim=(-1, len(compared)))
    ticks = [x for x in (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100) if _within(x, compared)]
    axes.set_xticks(ticks, [f"{x:g}" for x in ticks])
    axes.minorticks_off()


def _within(x, compared):
    return compared[0]["ratio"] / 2.1 <= x <= max(compared[-1]["ratio"], 1) * 2.1


def draw_curves(figure, name):
    """Distance from the optimum of one problem, against seconds above and against passes below."""
    problem = next(p for p in problems() if p["name"] == name)
    above, below = figure.subplots(2, 1)
    for rival, points in _shown(problem["runs"]).items():
        library = _library(rival)
        colour, style, mark = LOOKS[library]
        width = 3 if rival == "skxent" else 1.5
        look = {"color": colour, "linestyle": style, "marker": mark, "linewidth": width}
        points = [(s, max(d, LEAST), i) for s, d, i in points]
        above.plot([s for s, _, _ in points], [d for _, d, _ in points], label=rival, **look)
        counted = [(i, d) for _, d, i in points if i]
        if rival != "skxent" and counted:
            below.plot(*zip(*counted, strict=True), **look)
    passes, distances = zip(*problem["curve"], strict=True)
    below.plot(passes, [max(d, LEAST) for d in distances], "-o", color="C0", linewidth=3)
    default = next(r for r in problem["runs"] if r[0] == "default")
    if default[3] is not None:
        above.plot(
            default[2],
            max(default[3], LEAST),
            "*",
            color="C1",
            markersize=11,
            label="LogisticRegression()",
        )
        below.plot(default[4], max(default[3], LEAST), "*", color="C1", markersize=11)
    for axes, label in ((above, "seconds"), (below, "passes (skxent), iterations (rivals)")):
        axes.set(xscale="log", yscale="log", xlabel=label, ylabel="relative distance")
        _ticks(axes.xaxis, *axes.get_xlim())
    below.axhline(NEAR_ENOUGH, color="C4", linewidth=1, linestyle="--")
    above.axhline(NEAR_ENOUGH, color="C4", linewidth=1, linestyle="--", label="solved below")
    figure.legend(loc="outside lower center", ncols=2, fontsize=9)


def _ticks(axis, least, most):
    """Plain numbers, three in a decade if there are few decades."""
    subs = (1, 2, 5) if most < 200 * least else (1,)
    axis.set_major_locator(LogLocator(subs=subs))
    axis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:g}"))
    axis.set_minor_formatter(NullFormatter())


def _library(rival):
    first = rival.split()[0]
    return first if first in LOOKS else "scikit-learn"


def _shown(runs):
    """Seconds, distances and iterations of skxent, and of the best solver of each library."""
    found = {}
    for rival, tol, seconds, distance, iterations, _ in runs:
        if rival == "default" or (rival == "skxent" and tol is None):
            continue
        if seconds is not None and distance is not None:
            found.setdefault(rival, []).append((seconds, distance, iterations))
    best = {}
    for rival, points in found.items():
        there = [s for s, d, _ in points if d <= NEAR_ENOUGH]
        score = (0, min(there)) if there else (1, min(d for _, d, _ in points))
        best[_library(rival)] = min(best.get(_library(rival), (score, rival)), (score, rival))
    return {
        rival: found[rival] for _, rival in sorted(best.values(), key=lambda b: b[1] != "skxent")
    }
