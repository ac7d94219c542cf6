"""Mutation testing: which small changes of the code no test notices.

    python -m pip install --group mutation
    python tests/benchmarks/bench_mutation.py skxent/metrics/information.py --tests tests/metrics
    python tests/benchmarks/bench_mutation.py            # metrics and the engine: hours
    python tests/benchmarks/bench_mutation.py --sample 40   # mutants of each file, at random
    python tests/benchmarks/bench_mutation.py --show     # the survivors of the last run, as changes

mutmut makes the changes ("+" to "-", "<" to "<=", a constant to another one, an argument to None)
and runs for each the tests that reach the changed function. The script works on a copy of the tree
under the temporary directory and prints how many changes were noticed, for each file, and the names
of those that were not.

Not changed are lines whose mutants say nothing about the mathematics: the texts of errors and
warnings, annotations, and keywords that only save memory or time.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path
from random import Random

TREE = Path(__file__).parents[2]
COPY = Path(tempfile.gettempdir()) / "skxent_mutation"
SOURCES = ["skxent/metrics/*.py", "skxent/likelihood/*.py", "skxent/likelihood/*/*.py"]
ROOMS = ["inputs", "metrics", "likelihood", "inference", "classifiers"]
TESTS = [f"tests/{room}" for room in ROOMS]

# A line that matches is left as it is, with the statement that begins there.
UNCHANGED = [
    r"^\s*raise ",
    r"warnings\.warn\(",
    r"^\s*(message|advice|hint|cure|why|what)\s*(\+?=)",
    r"^\s*@overload",
]

# Tests that look at the stack, at signatures or at the text of the source see mutmut's wrappers.
LOOKS_AT_SOURCE = [
    "points_here",
    "points_at",
    "private_names",
    "documented",
    "house",
    "public_api",
    "signature",
    "slow",
]

CODES = {0: "survived", 1: "killed", 3: "killed", 5: "no tests", 33: "no tests", 36: "timeout"}


def configure(sources: list[str], tests: list[str], keyword: str) -> None:
    """Write mutmut's part of the copy's pyproject.toml."""
    settings = {
        "source_paths": ["skxent"],
        "only_mutate": sources,
        "also_copy": ["tests", "docs", "examples", "README.md", "LICENSE", ".ci"],
        "pytest_add_cli_args_test_selection": tests,
        "pytest_add_cli_args": ["-k", keyword, "-m", "not slow", "-p", "no:cacheprovider"],
        "do_not_mutate_patterns": UNCHANGED,
    }
    lines = [f"{name} = {json.dumps(value)}" for name, value in settings.items()]
    with (COPY / "pyproject.toml").open("a") as file:
        file.write("\n[tool.mutmut]\n" + "\n".join(lines) + "\n")


def sampled(number: int, seed: int) -> list[str]:
    """Names of a random sample of the mutants, `number` of each file at most."""
    _mutmut("run", "no mutant has this name", capture_output=True)  # makes the mutants, runs none
    random = Random(seed)
    chosen = []
    for path in sorted((COPY / "mutants").rglob("*.meta")):
        names = sorted(json.loads(path.read_text())["exit_code_by_key"])
        chosen += random.sample(names, min(number, len(names)))
    return chosen


def outcomes() -> Counter[tuple[str, str]]:
    """Count outcomes by file; print the mutants that no test noticed."""
    counts: Counter[tuple[str, str]] = Counter()
    for path in sorted((COPY / "mutants").rglob("*.meta")):
        source = str(path.relative_to(COPY / "mutants")).removesuffix(".meta")
        for name, code in json.loads(path.read_text())["exit_code_by_key"].items():
            outcome = "not run" if code is None else CODES.get(code, "killed")
            counts[source, outcome] += 1
            if outcome in ("survived", "no tests"):
                print(f"  {outcome}: {name}")
    return counts


def table(counts: Counter[tuple[str, str]]) -> None:
    """Print the part of the mutants that was noticed, by file."""
    columns = ["killed", "timeout", "survived", "no tests", "not run"]
    print(f"{'file':45}" + "".join(f"{column:>10}" for column in columns) + f"{'noticed':>9}")
    total: Counter[str] = Counter()
    for source in sorted({source for source, _ in counts}):
        row = Counter({column: counts[source, column] for column in columns})
        total += row
        _line(source, row, columns)
    _line("all", total, columns)


def _line(name: str, row: Counter[str], columns: list[str]) -> None:
    noticed = row["killed"] + row["timeout"]
    ran = noticed + row["survived"] + row["no tests"]
    part = f"{noticed / ran:9.1%}" if ran else f"{'-':>9}"
    print(f"{name:45}" + "".join(f"{row[column]:10d}" for column in columns) + part)


def show() -> None:
    """Print the survivors as changes of lines."""
    for path in sorted((COPY / "mutants").rglob("*.meta")):
        for name, code in json.loads(path.read_text())["exit_code_by_key"].items():
            if code is not None and CODES.get(code) in ("survived", "no tests"):
                print(name)
                shown = _mutmut("show", name, capture_output=True, text=True).stdout
                for line in shown.splitlines():
                    if re.match(r"[-+](?![-+])", line):
                        print("   ", line)


def _mutmut(*arguments: str, **options: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "mutmut", *arguments]
    return subprocess.run(command, cwd=COPY, check=False, **options)  # type: ignore[call-overload]


def main() -> None:
    """Parse arguments and run."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("sources", nargs="*", default=SOURCES, help="files or patterns to mutate")
    parser.add_argument("--tests", nargs="+", default=TESTS)
    parser.add_argument("--without", default="", help="more names of tests to leave out: 'a or b'")
    parser.add_argument("--sample", type=int, help="mutants of each file at most, at random")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--show", action="store_true")
    options = parser.parse_args()
    if options.show:
        show()
        return
    shutil.rmtree(COPY, ignore_errors=True)
    ignore = shutil.ignore_patterns(".git", ".venv", "_build", "__pycache__", "mutants")
    shutil.copytree(TREE, COPY, ignore=ignore)
    left_out = " or ".join([*LOOKS_AT_SOURCE, *filter(None, [options.without])])
    configure(options.sources, options.tests, f"not ({left_out})")
    os.environ["OPENBLAS_NUM_THREADS"] = "1"
    names = [] if options.sample is None else sampled(options.sample, options.seed)
    _mutmut("run", "--max-children", str(options.jobs), *names)
    table(outcomes())


if __name__ == "__main__":
    main()
