"""The house rules: what imports what, where tests are, and that the declared versions agree."""

import ast
import graphlib
import subprocess
import sys
import tomllib
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
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

TESTS = ROOT / "tests"
# Folders of tests that belong to no single module.
CROSS_CUTTING = {"benchmarks", "package", "support"}
# Module -> the test file of another module that tests it. A module with a test file of its own,
# tests/ROOM/test_MODULE.py or tests/ROOM/test_MODULE_ASPECT.py, has no place here.
TESTED_WITH = {
    "likelihood/sources/block_samples.py": "likelihood/sources/test_local_sums.py",
    "classifiers/training.py": "classifiers/test_softmax.py",
    "displays/colours.py": "displays/test_cell.py",
    "displays/prediction_display.py": "displays/test_layout.py",
    "displays/reliability_curve.py": "displays/test_reliability.py",
    "inference/average_differences.py": "inference/test_average_effects.py",
    "inference/average_slopes.py": "inference/test_average_effects.py",
    "inference/estimated_coefficients.py": "inference/test_result.py",
    "inference/fitted.py": "inference/test_optimum.py",
    "inference/likelihood_estimate.py": "inference/test_information_matrix.py",
    "inference/constrained_fits.py": "inference/test_term_tests.py",
    "inference/refitted_inference.py": "inference/test_term_tests.py",
    "inference/score_covariance.py": "inference/test_term_tests.py",
    "inference/linear_dependence.py": "inference/test_information_matrix.py",
    "inference/case_deletion.py": "inference/test_leave_one_out.py",
    "inference/left_out_cases.py": "classifiers/test_selection_partitions.py",
    "classifiers/gathered_samples.py": "classifiers/test_selection_partitions.py",
    "inputs/compared_models.py": "metrics/test_comparison.py",
    "inputs/given_losses.py": "metrics/test_cross_entropy_sum.py",
    "inputs/grouped_losses.py": "metrics/test_loss_comparison.py",
    "inputs/array_arguments.py": "inputs/test_targets.py",
    "inputs/responses.py": "metrics/test_scorers_responses.py",
    "inputs/shapes.py": "inputs/test_targets.py",
    "inputs/stand_ins.py": "metrics/test_scorers_conventions.py",
    "inputs/weights.py": "metrics/test_means_weight_sizes.py",
    "likelihood/coordinates/changes.py": "likelihood/coordinates/test_frame.py",
    "likelihood/coordinates/independence.py": "likelihood/coordinates/test_frame.py",
    "likelihood/coordinates/independent_columns.py": "likelihood/coordinates/test_rank.py",
    "likelihood/coordinates/orthogonal_columns.py": "likelihood/coordinates/test_frame.py",
    "likelihood/optimise/lbfgs.py": "likelihood/optimise/test_solver.py",
    "likelihood/optimise/progress.py": "likelihood/optimise/test_solver.py",
    "likelihood/optimise/schedule.py": "likelihood/optimise/test_solver.py",
    "likelihood/optimise/search.py": "likelihood/optimise/test_solver.py",
    "likelihood/optimise/search_state.py": "likelihood/optimise/test_solver.py",
    "likelihood/tuning.py": "likelihood/optimise/test_choices.py",
    "likelihood/solution.py": "likelihood/optimise/test_returned.py",
    "likelihood/row_losses.py": "likelihood/test_kernels.py",
    "likelihood/sources/arrays.py": "likelihood/test_objective.py",
    "likelihood/sources/base.py": "likelihood/test_objective.py",
    "likelihood/sources/column_products.py": "likelihood/coordinates/test_rank.py",
    "likelihood/sources/device_arrays.py": "likelihood/sources/test_device_rows.py",
    "likelihood/sources/device_kernels.py": "likelihood/test_kernels_losses.py",
    "likelihood/sources/device_row_space.py": "likelihood/sources/test_device_rows.py",
    "likelihood/sources/device_sums.py": "likelihood/sources/test_device_rows.py",
    "likelihood/sources/first_sums.py": "likelihood/sources/test_moments.py",
    "likelihood/sources/local_rows.py": "likelihood/test_objective.py",
    "likelihood/sources/row_space.py": "likelihood/coordinates/test_frame.py",
    "metrics/loss_sums.py": "metrics/test_cross_entropy_sum.py",
    "metrics/ratio_means.py": "metrics/test_loss_comparison.py",
    "metrics/report_rows.py": "metrics/test_report.py",
    "metrics/loss_registry.py": "metrics/test_losses.py",
    "metrics/loss_values.py": "metrics/test_losses.py",
    "metrics/row_forms.py": "metrics/test_losses.py",
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


def test_no_modules_import_each_other_in_a_circle():
    """Imports for type checking and inside functions count, too."""
    names = {module_name(path) for path in MODULES}
    graph = {}
    for path in MODULES:
        nodes = ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        found = {
            name if name in names else name.rpartition(".")[0] for name in imported(path, nodes)
        }
        graph[module_name(path)] = found & names
    list(graphlib.TopologicalSorter(graph).static_order())  # raises CycleError


def test_a_file_name_means_one_thing():
    counts = Counter(path.name for path in MODULES if path.name != "__init__.py")
    assert max(counts.values()) == 1


@pytest.mark.parametrize("folder", [PACKAGE, TESTS], ids=["skxent", "tests"])
def test_no_file_has_more_than_400_lines(folder):
    paths = [path for path in folder.rglob("*.py") if "benchmarks" not in path.parts]
    lengths = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in paths}
    assert not [str(path) for path, length in lengths.items() if length > 400]


def modules_by_test(tests, modules):
    """Each test file -> the module that its folder and name stand for, or None.

    Of several modules whose names begin the name of the test file, the longest name counts.
    """
    found = {}
    for test in tests:
        name = test.stem.removeprefix("test_") + "_"
        named = [
            module
            for module in modules
            if module.parent == test.parent and name.startswith(module.stem + "_")
        ]
        found[test] = max(named, key=lambda module: len(module.stem), default=None)
    return found


def test_the_longest_name_of_a_module_counts():
    modules = [Path("room/base.py"), Path("room/base_case.py"), Path("other/base.py")]
    names = ["room/test_base.py", "room/test_base_case_x.py", "room/test_bases.py", "test_base.py"]
    found = modules_by_test(map(Path, names), modules)
    assert list(found.values()) == [*modules[:2], None, None]


def test_tests_are_laid_out_like_the_package():
    modules = {path.relative_to(PACKAGE) for path in MODULES if path.name != "__init__.py"}
    tests = {path.relative_to(TESTS) for path in TESTS.rglob("test_*.py")}
    tests = {path for path in tests if path.parts[0] not in CROSS_CUTTING}
    module_of = modules_by_test(tests, modules)
    lost = [str(test) for test, module in module_of.items() if module is None]
    assert not lost, f"no module for the test files {sorted(lost)}"
    tested_elsewhere = {Path(module) for module in TESTED_WITH}
    without = modules - set(module_of.values()) - tested_elsewhere
    assert not without, f"no test file for the modules {sorted(map(str, without))}"
    superfluous = tested_elsewhere & set(module_of.values()) | tested_elsewhere - modules
    assert not superfluous, f"remove from TESTED_WITH: {sorted(map(str, superfluous))}"
    missing = {test for test in TESTED_WITH.values() if not (TESTS / test).is_file()}
    assert not missing, f"TESTED_WITH names test files that are missing: {sorted(missing)}"


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
