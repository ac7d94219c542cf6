"""The README's commands and the output that it shows.

The commands and the output stand in the README once, and are read from there. `.ci/run` runs the
commands: ``python tests/package/test_readme.py quickstart`` prints the first and ``… tests`` the
second.
"""

import math
import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
NUMBER = re.compile(r"-?\d+(?:\.\d+)?")


def block(name):
    """Content of the fenced block below the line ``<!-- name -->`` of the README."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    match = re.search(rf"<!-- {name} -->\n+```\w*\n(.*?)\n```", readme, flags=re.DOTALL)
    if match is None:
        raise LookupError(f"README.md has no block named {name}")
    return match[1]


def agree(shown, printed, rel_tol):
    """Whether two texts agree in words and, but for rounding and `rel_tol`, in numbers."""
    pairs = zip(NUMBER.findall(shown), NUMBER.findall(printed), strict=False)
    return NUMBER.sub("#", shown) == NUMBER.sub("#", printed) and all(
        math.isclose(float(a), float(b), rel_tol=rel_tol, abs_tol=2e-3) for a, b in pairs
    )


def differences(shown, printed):
    """Pairs of lines that differ.

    SoftmaxClassifier's numbers are those of an optimum, the same everywhere. The rival's, the
    middle of three columns, are where a fit stopped on its way: they depend on BLAS and release.
    """
    shown, printed = shown.rstrip().splitlines(), printed.rstrip().splitlines()
    found = [] if len(shown) == len(printed) else [(f"{len(shown)} lines", f"{len(printed)} lines")]
    for lines in zip(shown, printed, strict=False):
        old, new = (re.split(r"\s{2,}", line.strip()) for line in lines)
        tolerances = (0.01, 0.5, 0.01) if len(old) == 3 else (0.01,) * len(old)
        if len(old) != len(new) or not all(map(agree, old, new, tolerances)):
            found.append(lines)
    return found


def test_differences_are_found():
    assert not differences("loss  0.8  0.120", "loss   0.9  0.121")
    assert differences("loss 0.12", "gain 0.12")
    assert differences("loss 0.120", "loss 0.123")
    assert differences("loss  0.8  0.120", "loss  0.8  0.130")
    assert differences("loss  0.8  0.120", "loss  8.0  0.120")
    assert differences("gap  0.0  below 1e-6", "gap  0.0  0.0001")
    assert differences("loss 0.12", "loss 0.12\nloss 0.13")


def test_quickstart_prints_what_the_readme_shows():
    run = subprocess.run(
        [sys.executable, "-X", "utf8", "-W", "error", "examples/quickstart.py"],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=120,
    )
    assert run.returncode == 0, run.stderr
    assert not run.stderr
    found = differences(block("output"), run.stdout)
    assert not found, "\n".join(f"shown:   {old}\nprinted: {new}" for old, new in found)


if __name__ == "__main__":
    print(block(sys.argv[1]))
