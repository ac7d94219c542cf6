"""The script that runs the tests with many releases, without running them."""

import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / ".ci" / "versions"


def listed(*arguments):
    """Names of the environments that the script would make, and what is said of each."""
    command = [sys.executable, str(SCRIPT), *arguments, "--list"]
    run = subprocess.run(command, capture_output=True, text=True, timeout=60)
    lines = [line.split(maxsplit=1) for line in run.stdout.splitlines() if line]
    return dict(lines), run


def test_all_is_every_combination():
    found, _ = listed("--all")
    assert len(found) == 3 * 3 * 2
    for name, said in found.items():
        python, scikit_learn, end = name.split("-")
        if said.startswith("skipped"):
            assert f"python{python}" in said
        else:
            assert f"scikit-learn=={scikit_learn}.*" in said
            assert ("numpy==2.3.0" in said) == ("scipy==1.15.0" in said) == (end == "minimum")


def test_a_few_have_each_release_that_the_other_script_has_not():
    """.ci/run tests with Python 3.11, the newest scikit-learn and the oldest."""
    releases = {release for name in listed()[0] for release in name.split("-")}
    assert releases == {"3.12", "3.13", "1.7", "1.8", "1.9", "minimum", "newest"}


def test_a_python_that_is_missing_is_skipped(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path))
    found, run = listed("--all")
    assert all(said.startswith("skipped: no python3.") for said in found.values())
    assert run.returncode == 1


def test_a_python_of_pyenv_is_found(monkeypatch, tmp_path):
    release = "{}.{}".format(*sys.version_info)
    bin = tmp_path / "versions" / f"{release}.99" / "bin"
    bin.mkdir(parents=True)
    (bin / "python").symlink_to(sys.executable)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path))
    name = f"{release}-1.8-newest"
    assert listed("--only", name)[0] == {name: "scikit-learn==1.8.*"}


@pytest.mark.parametrize("name", ["3.10-1.8-newest", "3.12", "all"])
def test_an_unknown_environment_is_refused(name):
    _, run = listed("--only", name)
    assert run.returncode == 1
    assert f"no environment ['{name}']" in run.stderr
