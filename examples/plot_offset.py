"""
Offsets: fit a part of the common class, predict for all
========================================================

One class is rare, and samples of the common class are expensive to store or to label. Here a fifth
of them is kept. That changes the odds of the classes in a known way, and an offset takes the change
out of the fit again.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

import skxent

# %%
# The rare class is the digit 9. Of the other digits in the training part, a fifth is kept.

X, digit = load_digits(return_X_y=True)
y = (digit == 9).astype(int)
X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0, stratify=y)
rate = 0.2
kept = (y_train == 1) | (np.random.default_rng(0).random(len(y_train)) < rate)
X_kept, y_kept = X_train[kept], y_train[kept]
print(f"{y_train.mean():.0%} of all samples are nines, and {y_kept.mean():.0%} of those kept")

# %%
# Among the samples that are kept, the odds of a nine are 1 / rate times those among all digits.
# Each logit is therefore larger by log(1 / rate), which is known. A fit with this offset estimates
# the rest: the logits among all digits. They are predicted with ``offset=0``.

C = 1e-3
shift = np.full(len(y_kept), np.log(1 / rate))
corrected = skxent.LogisticClassifier(C).fit(X_kept, y_kept, offset=shift)
ignored = skxent.LogisticClassifier(C).fit(X_kept, y_kept)
everything = skxent.LogisticClassifier(C).fit(X_train, y_train)

predictions = {
    "a fifth, offset ignored": ignored.predict_proba(X_test)[:, 1],
    "a fifth, with the offset": corrected.predict_proba(X_test, offset=0)[:, 1],
    "all samples": everything.predict_proba(X_test)[:, 1],
}
for name, p in predictions.items():
    loss = skxent.binary_cross_entropy(y_test, p)
    print(f"{name}: {p.sum():.0f} nines expected, {loss:.3f} nats per digit")
print(f"there are {y_test.sum()} nines")

# %%
# Without the offset, the model expects nines as often as among the samples that were kept. With it,
# the loss is closer to that of the fit of all samples. A constant offset moves only the intercept;
# an offset that differs between samples, such as the logits of another model, changes the
# coefficients as well.

fig, ax = plt.subplots(layout="constrained")
expected = [p.sum() for p in predictions.values()]
ax.barh(list(predictions), expected)
ax.axvline(y_test.sum(), color="black", linestyle=":", label="nines in the test part")
ax.set(xlabel="expected number of nines")
ax.legend()
plt.show()
