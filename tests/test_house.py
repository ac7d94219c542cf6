"""The house rules: what imports what, and that the declared versions agree with each other."""

import ast
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "skxent"
# The package's own __init__ comes first.
MODULES = sorted(PACKAGE.rglob("*.py"), key=lambda path: (len(path.parts), path))

RUN_TIME = {"numpy", "scipy", "sklearn", "joblib", "threadpoolctl", "narwhals", "skxent"}
# room -> what it may import of the other rooms
MAY_IMPORT = {
    "inputs": (),
    "likelihood": ("skxent.inputs",),
    "metrics": ("skxent.inputs", "skxent.likelihood"),
    "inference": ("skxent.inputs", "skxent.likelihood", "skxent.metrics"),
    "classifiers": ("skxent.inputs", "skxent.likelihood", "skxent.metrics", "skxent.inference"),
    "displays": (
        "skxent.inputs",
        "skxent.likelihood",
        "skxent.metrics",
        "skxent.inference",
        "skxent.classifiers",
    ),
}


def module_name(path):
    """Dotted name of a module of the package."""
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def imported(path, nodes):
    """Absolute names that the import statements among `nodes` bring in."""
    package = module_name(path).split(".")
    if path.name != "__init__.py":
        package = package[:-1]
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            source = ".".join([*base, *([node.module] if node.module else [])])
            yield from (f"{source}.{alias.name}" for alias in node.names)


def run_at_import(body):
    """Statements that run when the module is imported, those inside `if` and `try` included."""
    for node in body:
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            continue
        yield node
        for field in ("body", "orelse", "finalbody"):
            if isinstance(node, (ast.If, ast.Try, ast.With)):
                yield from run_at_import(getattr(node, field, []))


def test_import_reader_sees_every_form():
    source = (
        "import a.b\nfrom .c import d\nfrom .. import e\n"
        "try:\n    import f\nexcept E: pass\ndef g():\n    import h"
    )
    nodes = run_at_import(ast.parse(source).body)
    assert list(imported(PACKAGE / "metrics/losses.py", nodes)) == [
        "a.b",
        "skxent.metrics.c.d",
        "skxent.e",
        "f",
    ]


@pytest.mark.parametrize("path", MODULES, ids=module_name)
def test_imports_are_light(path):
    nodes = run_at_import(ast.parse(path.read_text(encoding="utf-8")).body)
    roots = {name.split(".")[0] for name in imported(path, nodes)}
    assert roots <= RUN_TIME | set(sys.stdlib_module_names)


def test_every_module_is_in_a_room():
    rooms = {path.relative_to(PACKAGE).parts[0] for path in MODULES}
    assert rooms - {"__init__.py"} == set(MAY_IMPORT)


@pytest.mark.parametrize("path", MODULES[1:], ids=module_name)
def test_imports_run_one_way(path):
    room = path.relative_to(PACKAGE).parts[0]
    allowed = (f"skxent.{room}.", *(f"{other}." for other in MAY_IMPORT[room]))
    nodes = ast.walk(ast.parse(path.read_text(encoding="utf-8")))
    for name in imported(path, nodes):
        if name.startswith("skxent"):
            assert name.startswith(allowed), f"{module_name(path)} imports {name}"


def test_importing_skxent_loads_no_optional_package():
    # scikit-learn may load pandas by itself, so only what comes on top of it counts.
    script = (
        "import sys, sklearn.linear_model, sklearn.metrics, sklearn.model_selection\n"
        "before = set(sys.modules)\n"
        "import skxent\n"
        "print(*sorted({name.split('.')[0] for name in set(sys.modules) - before}))"
    )
    run = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, check=True, capture_output=True, text=True
    )
    loaded = set(run.stdout.split())
    assert "skxent" in loaded
    assert not loaded & {
        "array_api_compat",
        "cupy",
        "dask",
        "distributed",
        "matplotlib",
        "pandas",
        "polars",
        "torch",
    }


def test_minimum_group_is_the_lower_bounds():
    config = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    bounds = dict(line.split(">=") for line in config["project"]["dependencies"])
    minimum = dict(line.split("==") for line in config["dependency-groups"]["minimum"])
    assert minimum == {name: f"{version}.0" for name, version in bounds.items()}
