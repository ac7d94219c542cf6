"""
On a device: PyTorch's tensors
==============================

With scikit-learn's switch on, :class:`skxent.SoftmaxClassifier` fits tensors of PyTorch, and arrays
of other libraries that follow the array API standard, where they are: on a graphics card, if there
is one. Parameters and sums of their size cross to the host; samples do not.

The script needs PyTorch and array-api-compat, and says so where they are missing.
"""

# sphinx_gallery_thumbnail_path = "thumbnails/torch_arrays.svg"

import os
import sys

# SciPy reads its own switch once, at import.
os.environ["SCIPY_ARRAY_API"] = "1"

import numpy as np
import sklearn
from sklearn.datasets import load_digits

import skxent

try:
    import array_api_compat  # noqa: F401
    import torch
except ImportError as error:
    print(f"{error.name} is not installed, so there is nothing to show here.")
    sys.exit()

# %%
# The images of digits, raw: pixels from 0 to 16, on the card where PyTorch has one.

X, y = load_digits(return_X_y=True)
train, test = slice(0, 1200), slice(1200, None)
device = "cuda" if torch.cuda.is_available() else "cpu"
Z, t = torch.asarray(X, device=device), torch.asarray(y, device=device)

# %%
# The fit is the one that arrays of NumPy get, and so is its minimum. What was fitted are tensors
# beside the samples.

sklearn.set_config(array_api_dispatch=True)
clf = skxent.SoftmaxClassifier(C=0.01).fit(Z[train], t[train])
host = skxent.SoftmaxClassifier(C=0.01).fit(X[train], y[train])

coef = clf.coef_
print(f"coef_ is a {type(coef).__name__} of shape {tuple(coef.shape)}, on {coef.device}")
print(f"objective on the device: {clf.objective_:.9f} nats, {clf.optimality_gap_:.0e} to go")
print(f"objective on the host:   {host.objective_:.9f} nats")
print(f"largest difference of coefficients: {np.abs(coef.cpu().numpy() - host.coef_).max():.0e}")

# %%
# Predictions are tensors too, and the metrics take them as they are.

P = clf.predict_proba(Z[test])
loss = skxent.categorical_cross_entropy(t[test], P)
print(f"held out, from {type(P).__name__}s: {loss:.4f} nats per sample")
print(f"the scorer, negative:   {skxent.cce_scorer(clf, Z[test], t[test]):.4f}")
print(f"accuracy: {clf.score(Z[test], t[test]):.3f}")
