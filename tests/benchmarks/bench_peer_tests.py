"""scikit-learn's own tests, with skxent in place of what they test.

Run ``python tests/benchmarks/bench_peer_tests.py``. The script runs the test modules of `MODULES`
from the installed scikit-learn. `peer_adapters.py` translates arguments and attributes, and
`peer_differences.py` lists the reasons for which results differ by intent. The script prints the
numbers of tests that passed, that differ by intent with their reasons, and that failed. A test that
passes and does not use skxent is not counted. The exit status is 1 if a test failed, or if an entry
of `peer_differences.py` fits no test any more.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any
from unittest.mock import patch

# scikit-learn skips its tests of other array libraries without this.
os.environ.setdefault("SCIPY_ARRAY_API", "1")

import peer_adapters
import pytest
import sklearn
from peer_differences import OPTIONS, TESTS
from sklearn.metrics import _scorer

FOLDER = Path(sklearn.__file__).parent
MODULES = (
    "linear_model/tests/test_logistic.py",
    "tests/test_calibration.py",
    "metrics/tests/test_score_objects.py",
    "metrics/tests/test_classification.py",
    "metrics/tests/test_common.py",
)
NAMES = {
    "sklearn.linear_model": ("LogisticRegression", "LogisticRegressionCV"),
    "sklearn.calibration": ("CalibratedClassifierCV",),
    "sklearn.metrics": ("log_loss",),
}


@dataclass
class Result:
    """How a test ended, what it used of skxent, and which options it asked for in vain."""

    outcome: str = "passed"
    text: str = ""
    used: set[str] = field(default_factory=set)
    missing: list[str] = field(default_factory=list)

    @property
    def errors(self) -> str:
        """The lines of a failure that tell what was expected and what happened."""
        return "\n".join(line for line in self.text.splitlines() if line.startswith("E "))


class Peer:
    """Plugin of pytest: replaces the names in the test modules, and collects the results."""

    def __init__(self) -> None:
        self.results: dict[str, Result] = {}

    @pytest.hookimpl(wrapper=True)
    def pytest_make_collect_report(self, collector: Any) -> Iterator[None]:
        """Import a test module while the packages of scikit-learn have the adapters."""
        with ExitStack() as stack:
            if isinstance(collector, pytest.Module):
                for package, names in NAMES.items():
                    for name in names:
                        adapter = getattr(peer_adapters, name)
                        stack.enter_context(patch(f"{package}.{name}", adapter))
            return (yield)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: Any) -> Iterator[None]:
        """Run a test with "neg_log_loss" replaced, and note what it used."""
        peer_adapters.used.clear()
        peer_adapters.missing.clear()
        result = self.results[item.nodeid] = Result()
        scorer = {"neg_log_loss": peer_adapters.neg_log_loss}
        with patch.dict(_scorer._SCORERS, scorer):
            found = yield
        result.used.update(peer_adapters.used)
        result.missing.extend(dict.fromkeys(peer_adapters.missing))
        return found

    def pytest_runtest_logreport(self, report: Any) -> None:
        """Note how a test ended."""
        if report.outcome != "passed":
            result = self.results[report.nodeid]
            result.outcome, result.text = report.outcome, report.longreprtext


def reason_of(name: str, result: Result, fitting: set[Any]) -> str | None:
    """Return why a test differs by intent, or None; note the entries that fit it."""
    if result.missing:
        fitting.update(result.missing)
        return OPTIONS.get(result.missing[0])
    for entry in TESTS:
        pattern, words, reason = entry
        if fnmatchcase(name, pattern) and words in result.errors:
            fitting.add(entry)
            return reason
    return None


def run(select: str, modules: list[str]) -> dict[str, Result]:
    """Run the tests, and return the results of those that use skxent, by name."""
    peer = Peer()
    paths = [str(FOLDER / module) for module in MODULES if any(part in module for part in modules)]
    quiet = ["-q", "--no-header", "--no-summary", "-p", "no:cacheprovider"]
    config = ["-c", os.devnull, "--rootdir", str(FOLDER)]
    chosen = ["-k", select] if select else []
    pytest.main([*quiet, *config, *chosen, *paths], plugins=[peer])
    return {
        name.split("/")[-1]: result
        for name, result in peer.results.items()
        if result.outcome == "failed" or (result.used and result.outcome == "passed")
    }


def main() -> int:
    """Run the tests that the command line asks for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--select", default="", help="expression for -k of pytest")
    parser.add_argument("--modules", nargs="*", default=[""], help="parts of names of modules")
    settings = parser.parse_args()
    results = run(settings.select, settings.modules)
    fitting: set[Any] = set()
    passed, failed, reasons = 0, 0, Counter[str]()
    for name, result in results.items():
        if result.outcome == "passed" and not result.missing:
            passed += 1
        elif reason := reason_of(name, result, fitting):
            reasons[reason] += 1
        else:
            failed += 1
            print(f"\nFAILED {name} {', '.join(result.missing)}\n{result.errors}")
    print(f"\nscikit-learn {sklearn.__version__}: {len(results)} tests use skxent")
    print(f"passed: {passed}, differing by intent: {reasons.total()}, failed: {failed}")
    print("\n".join(f"| {count} | {reason} |" for reason, count in reasons.most_common()))
    everything = not settings.select and settings.modules == [""]
    stale = [entry for entry in (*OPTIONS, *TESTS) if entry not in fitting] if everything else []
    for entry in stale:
        print(f"no test fits the entry {entry!r} any more")
    return int(bool(failed or stale))


if __name__ == "__main__":
    sys.exit(main())
