"""docs/speed.md and the README say what the committed results of the race say."""

import copy
import importlib
import json
import re
import sys
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"


sys.path.insert(0, str(BENCHMARKS))
try:
    race_limits = importlib.import_module("race_limits")
    race_results = importlib.import_module("race_results")
    speed_page = importlib.import_module("speed_page")
finally:
    sys.path.remove(str(BENCHMARKS))


@pytest.fixture
def results():
    """The committed results, to be changed."""
    return copy.deepcopy(json.loads(race_results.RESULTS.read_text(encoding="utf-8")))


def page_of(results):
    return speed_page.page(results["made"], [race_results.Raced(p) for p in results["problems"]])


def test_the_page_is_made_of_the_committed_results(results):
    assert speed_page.PAGE.read_text(encoding="utf-8") == page_of(results)


def test_the_readme_has_the_figures_of_the_committed_results():
    _, problems = race_results.read()
    line = speed_page.readme_line(race_results.Figures(problems))
    readme = speed_page.README.read_text(encoding="utf-8")
    assert speed_page.with_line(readme, line) == readme


def test_the_results_are_small_and_whole(results):
    assert race_results.RESULTS.stat().st_size < 200_000
    names = [p["name"] for p in results["problems"]]
    assert len(set(names)) == len(names) > 30
    assert sum(bool(p["curve"]) for p in results["problems"]) == 4


def test_the_machine_has_no_name(results):
    assert not {"node", "host", "hostname", "user"} & set(results["made"])


def test_ratios_belong_to_runs_that_solve_the_problem(results):
    for problem in map(race_results.Raced, results["problems"]):
        if problem.fastest is None:
            assert problem.ratio is None
            assert "there" not in problem.outcomes().values()
        else:
            assert problem.fastest.there
            # The ratio is a median of ratios, and the seconds are medians: they agree about.
            plain = problem.fastest.seconds / problem.data["seconds"]
            assert 0.5 < plain / problem.ratio < 2


def test_a_problem_on_which_a_rival_is_faster_is_in_the_first_lines(results):
    problem = next(p for p in results["problems"] if p["ratio"] and p["ratio"] > 1.5)
    before = page_of(results).split("## ")[0]
    problem["ratio"] = 0.123
    after = page_of(results).split("## ")[0]
    lost = re.search(r"\*\*A rival is faster on .*", after)[0]
    assert f"{problem['name']} ({problem['fastest'][0]}, 0.12)" in lost
    assert f"{problem['name']} ({problem['fastest'][0]}, 0.12)" not in before


def test_a_problem_that_skxent_does_not_solve_is_named(results):
    results["problems"][3]["distance"] = 1e-3
    assert f"skxent itself did not solve {results['problems'][3]['name']}." in page_of(results)


def test_a_problem_that_was_left_out_is_named(results):
    results["made"]["left_out"] = ["one", "another"]
    assert "This run left out one and another." in page_of(results).split("## ")[0]


def test_the_page_says_which_limit_a_run_has(results):
    page = page_of(results)
    assert f"The limit is {race_limits.FLOOR:g} s, plus 1 s for each" in page
    for name, seconds in race_limits.HARD.items():
        assert f"{name} ({seconds:g} s)" in page


def test_the_page_counts_how_rivals_ended_on_problems_that_none_solved(results):
    problems = [race_results.Raced(p) for p in results["problems"] if not p["ratio"]]
    ends = [end for p in problems for end in p.outcomes().values()]
    first = page_of(results).split("## ")[0]
    for p in problems:
        assert f"{p.name} ({p.data['limit']:.3g} s)" in first
    assert f"the rivals started {len(ends)} times: {ends.count('time up')} were stopped" in first
    assert f"{ends.count('elsewhere')} ended by themselves farther from the optimum" in first
    assert len(ends) == sum(map(ends.count, ("time up", "elsewhere", "failed")))


def test_ends_of_rivals_are_told_apart():
    runs = [
        ["a", 1e-2, 1.0, 1e-3, 5, ""],
        ["a", 1e-4, 2.0, 1e-7, 9, ""],
        ["b", 1e-2, 1.0, 1e-3, 5, ""],
        ["b", 1e-4, None, None, None, "time up"],
        ["c", 1e-2, 1.0, 1e-3, 5, ""],
        ["d", 1e-2, None, None, None, "crashed"],
        ["e", 1e-2, None, None, None, "failed: ValueError"],
        ["f", 1e-2, None, None, None, "slower"],
    ]
    outcomes = race_results.Raced({"runs": runs}).outcomes()
    assert outcomes == {
        "a": "there",
        "b": "time up",
        "c": "elsewhere",
        "d": "failed",
        "e": "failed",
        "f": "slower",
    }


def test_a_readme_without_the_line_is_refused():
    with pytest.raises(LookupError, match="speed"):
        speed_page.with_line("no such line", "text")


@pytest.mark.parametrize(
    ("x", "text"),
    [(0.001234, "0.00123"), (0.4567, "0.457"), (12.34, "12.3"), (1234.5, "1,234"), (3e-7, "3e-7")],
)
def test_numbers_are_short(x, text):
    assert race_results.number(x) == text
