"""Arrays of libraries other than NumPy: of array-api-strict on its second device, and of torch."""

from functools import partial

import array_api_strict as strict
import numpy as np
import pytest
from sklearn import config_context


class Strict:
    """Arrays of array-api-strict on a device that NumPy cannot read.

    Functions that are not in the array API standard fail on these arrays.
    """

    device = strict.Device("device1")

    def array(self, values):
        return strict.asarray(np.asarray(values), device=self.device)

    def has(self, x):
        """Whether `x` is an array of this library on this device."""
        return isinstance(x, type(strict.zeros(1))) and x.device == self.device


class Torch:
    """Tensors of torch; tensors of floats record gradients if `gradients` is true.

    NumPy cannot read tensors that record gradients.
    """

    def __init__(self, gradients=False):
        self.torch = pytest.importorskip("torch")
        self.gradients = gradients

    def array(self, values):
        tensor = self.torch.asarray(np.array(values))
        records = self.gradients and tensor.is_floating_point()
        return tensor.requires_grad_() if records else tensor

    def has(self, x):
        """Whether `x` is a tensor on the CPU that records no gradients."""
        return isinstance(x, self.torch.Tensor) and x.device.type == "cpu" and not x.requires_grad


@pytest.fixture(params=[Strict, Torch])
def library(request):
    """A library of arrays, with scikit-learn's `array_api_dispatch` on."""
    with config_context(array_api_dispatch=True):
        yield request.param()


@pytest.fixture(params=[Strict, partial(Torch, gradients=True)], ids=["Strict", "Torch"])
def library_with_gradients(request):
    """A library of arrays whose tensors of torch record gradients, with `array_api_dispatch` on."""
    with config_context(array_api_dispatch=True):
        yield request.param()


@pytest.fixture
def torch():
    """The module torch, with `array_api_dispatch` on."""
    torch = pytest.importorskip("torch")
    with config_context(array_api_dispatch=True):
        yield torch
