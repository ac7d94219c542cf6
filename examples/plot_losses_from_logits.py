"""
What a prediction costs
=======================

The cost of a label falls with the probability it was given, and the accuracy of the number that
says so depends on where the calculation starts. This script scores the same two-class predictions
four ways, ever more confident and always right, and compares each with the exact value.
"""

from itertools import pairwise

import matplotlib.pyplot as plt
import numpy as np
from scipy.special import expit
from sklearn.metrics import log_loss

from skxent import CrossEntropySum, binary_cross_entropy, categorical_cross_entropy

# %% Confident and right -------------------  The exact cost at logit z is log1p(exp(-z)), about
# exp(-z). A probability close to 1 has no digits left for its distance from 1, so `log_loss`, which
# starts from there, stops falling at its clip of 2.2e-16, and losses from probabilities become
# rounding noise on the way. From logits every digit is right.

logits = np.linspace(0, 60, 241)
exact = np.log1p(np.exp(-logits))
p = expit(logits)
from_logits = binary_cross_entropy(np.ones(logits.size), logits, from_logits=True, reduction="none")
from_probabilities = binary_cross_entropy(np.ones(logits.size), p, reduction="none")
sklearn_losses = [log_loss([1], [[1 - q, q]], labels=[0, 1]) for q in p]

print(f"at logit {logits[-1]:.0f} the exact cost is {exact[-1]:.3e} nats")
print(f"  from logits          {from_logits[-1]:.3e}")
print(f"  from probabilities   {from_probabilities[-1]:.3e}")
print(f"  log_loss             {sklearn_losses[-1]:.3e}")

figure, axes = plt.subplots(figsize=(5.5, 4), layout="constrained")
axes.semilogy(logits, sklearn_losses, label="sklearn.metrics.log_loss", linewidth=5, alpha=0.4)
axes.semilogy(
    logits, np.where(from_probabilities > 0, from_probabilities, np.nan), label="probability"
)
axes.semilogy(logits, from_logits, "--", color="black", label="logit (exact)")
axes.set(xlabel="logit of the right answer", ylabel="loss in nats", ylim=(1e-27, 2))
axes.legend(title="loss computed from")
plt.show()

# %% Soft targets ------------  Where annotators disagree, the target is a distribution. The cost of
# predicting it exactly is its own entropy.

votes = np.array([[5, 0, 0], [3, 2, 0], [2, 2, 1]]) / 5
guesses = np.array([[0.9, 0.05, 0.05], [0.6, 0.3, 0.1], [0.4, 0.4, 0.2]])
print("bits of each sample", categorical_cross_entropy(votes, guesses, reduction="none", base=2))
print("the least possible ", categorical_cross_entropy(votes, votes, reduction="none", base=2))

# %%
# Chunks
# ------
#
# Sums add up over chunks of any size, and give the mean of the whole with one division at the end.

rng = np.random.default_rng(0)
P = rng.dirichlet(np.ones(4), size=10_000)
y = rng.integers(4, size=len(P))
cuts = [0, 10, 5000, 10_000]
parts = [CrossEntropySum.of(y[a:b], P[a:b], labels=range(4)) for a, b in pairwise(cuts)]
print("of the whole         ", categorical_cross_entropy(y, P))
print("of the added chunks  ", sum(parts).mean)
print("mean of chunk means  ", np.mean([part.mean for part in parts]))
