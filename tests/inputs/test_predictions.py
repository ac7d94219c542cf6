"""Predictions on a device are checked in blocks, in the precision of the device."""

import array_api_strict as strict
import numpy as np
import pytest
from extreme_samples import K, problem
from sklearn import config_context

from skxent import categorical_cross_entropy
from skxent.inputs import predictions


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_half_precision(dtype):
    torch = pytest.importorskip("torch")
    z = torch.tensor([[1.0, 2.0], [0.5, -3.0]], dtype=getattr(torch, dtype))
    p = torch.tensor([[0.3, 0.7], [0.9, 0.1]], dtype=getattr(torch, dtype))
    y, wide = torch.tensor([0, 1]), p.double().numpy()
    with config_context(array_api_dispatch=True):
        found = categorical_cross_entropy(y, p)
        logits = categorical_cross_entropy(y, z, from_logits=True)
    assert found == pytest.approx(-np.log([wide[0, 0], wide[1, 1]]).mean(), rel=1e-14)
    assert logits == categorical_cross_entropy([0, 1], z.double().numpy(), from_logits=True)


@pytest.mark.filterwarnings("ignore::skxent.ZeroProbabilityWarning")
def test_device_without_float64():
    y, Y, Z, P, w = problem()
    device = strict.Device("no_float64")
    with config_context(array_api_dispatch=True):
        for target, given in ((y, y), (Y, Y), (y, strict.asarray(y, device=device))):
            for x, from_logits in ((P, False), (Z, True)):
                options = {"from_logits": from_logits, "eps": 1e-6, "sample_weight": w}
                expected = categorical_cross_entropy(
                    target.astype("float32"), x.astype("float32"), **options
                )
                theirs = strict.asarray(x.astype("float32"), device=device)
                found = categorical_cross_entropy(given, theirs, **options)
                assert found == pytest.approx(expected, rel=1e-5)


def test_blocks_of_rows_add_up(library, monkeypatch):
    y, Y, Z, P, _ = problem()
    arrays = [library.array(x) for x in (y, Y, Z)]
    whole = [categorical_cross_entropy(t, arrays[2], from_logits=True) for t in arrays[:2]]
    monkeypatch.setattr(predictions, "DEVICE_BLOCK_SIZE", 7 * K)
    parts = [categorical_cross_entropy(t, arrays[2], from_logits=True) for t in arrays[:2]]
    assert parts == whole
    P[44] = np.nan
    with pytest.raises(ValueError, match="row 44"):
        categorical_cross_entropy(arrays[0], library.array(P))


def test_sparse_tensors_are_refused():
    torch = pytest.importorskip("torch")
    with config_context(array_api_dispatch=True), pytest.raises(TypeError, match=r"y_pred .*dense"):
        categorical_cross_entropy([0, 1], torch.eye(2).to_sparse())
