"""Arrays of other libraries are told apart from NumPy's, moved between devices, and searched."""

import os
import subprocess
import sys

import array_api_strict as strict
import numpy as np
import pandas as pd
import pytest
from extreme_samples import problem
from sklearn import config_context

from skxent import categorical_cross_entropy
from skxent.inputs.namespaces import first_true, library_of, moved, namespace_of, widened


def test_first_true(library):
    mask = np.array([False, False, True, True])
    for bits in (mask, library.array(mask)):
        assert first_true(bits) == 2
        assert first_true(bits[:2]) is None
    assert first_true(mask[:0]) is None


def test_missing_package_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "array_api_compat", None)
    with config_context(array_api_dispatch=True):
        assert categorical_cross_entropy([0, 1], pd.DataFrame(np.eye(2))) == 0.0
        with pytest.raises(ImportError, match="pip install array-api-compat"):
            categorical_cross_entropy([0, 1], strict.eye(2))


def test_lists_and_frames_are_numpys(library):
    y, _, _, P, _ = problem()
    assert namespace_of(P, P.tolist(), pd.DataFrame(P), pd.Series(y), None, 1.0, y[0]) is None
    assert namespace_of(P, library.array(P)) is library_of(library.array(P))
    with pytest.raises(TypeError):
        namespace_of(library.array(P), Other())


class Other:
    """An array of a third library."""

    def __dlpack__(self):
        raise NotImplementedError

    def __array_namespace__(self, api_version=None):
        return np


def test_arrays_move(library):
    device = strict.Device("device2")
    for values in (np.arange(3), np.arange(3.0)[::-1], np.array([True, False]), np.zeros((2, 0))):
        x = library.array(values)
        assert library.has(moved(values, like=library.array([0.0])))
        assert library.has(moved(strict.asarray(values, device=device), like=x))
        np.testing.assert_array_equal(moved(x, like=values), values)
        assert str(widened(x).dtype).endswith("float64")


def test_dispatch_needs_scipys_switch_which_scikit_learn_says():
    environment = {**os.environ, "SCIPY_ARRAY_API": "0"}
    script = "import sklearn; sklearn.set_config(array_api_dispatch=True)"
    run = subprocess.run(
        [sys.executable, "-c", script], env=environment, capture_output=True, text=True
    )
    assert "SCIPY_ARRAY_API" in run.stderr
