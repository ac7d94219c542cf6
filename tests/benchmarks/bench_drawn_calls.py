"""Drawn calls of the features that came last, by the thousand, each against its own reference.

Run ``python tests/benchmarks/bench_drawn_calls.py --count 1000``. ``--start`` is the first seed,
and ``--features`` names some of the features (parts of names will do). A call is made from its seed
alone, see tests/support/drawn_calls.py, which also says how a call may end. The script prints each
fault with the choices that made the call, and a table of calls and faults at the end. The exit
status is 1 if there are faults.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "support"))

from drawn_calls import faults_of
from drawn_features import FEATURES


def main() -> int:
    """Run the calls that the command line asks for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--count", type=int, default=1000, help="calls of each feature")
    parser.add_argument("--start", type=int, default=1_000_000, help="first seed")
    parser.add_argument("--features", nargs="*", default=[""], help="parts of names of features")
    settings = parser.parse_args()
    chosen = [name for name in FEATURES if any(part in name for part in settings.features)]
    table = []
    for name in chosen:
        begin, failed = time.perf_counter(), 0
        for seed in range(settings.start, settings.start + settings.count):
            faults = faults_of(FEATURES[name], seed)
            failed += bool(faults)
            for line in faults:
                print(f"{name} {line}", flush=True)
        table.append((name, settings.count, failed, time.perf_counter() - begin))
    print(f"\n{'feature':<32}{'calls':>8}{'with faults':>13}{'seconds':>9}")
    for name, calls, failed, seconds in table:
        print(f"{name:<32}{calls:>8}{failed:>13}{seconds:>9.0f}")
    return int(any(failed for *_, failed, _ in table))


if __name__ == "__main__":
    sys.exit(main())
