"""
Two language models with different tokens
=========================================

A model of words and a model of characters predict the same documents. Their losses for each token
cannot be compared, because their tokens differ. Their losses for each byte can. The documents are
pages of SciPy's documentation, and both models are counts.
"""

import inspect
import re
from collections import Counter, defaultdict

import matplotlib.pyplot as plt
import numpy as np
from scipy import signal, special, stats

import skxent

modules = {"special": special, "stats": stats, "signal": signal}
pages = [
    (name, inspect.getdoc(getattr(module, page)))
    for name, module in modules.items()
    for page in module.__all__
    if inspect.getdoc(getattr(module, page)) and len(inspect.getdoc(getattr(module, page))) > 300
]
order = np.random.default_rng(0).permutation(len(pages))
held_out = [pages[i] for i in order[:50]]
training = [pages[i][1] for i in order[50:250]]
print(f"{len(training)} documents to count, {len(held_out)} to predict")

# %%
# Two models
# ----------
# Both interpolate from long contexts to short ones (Witten and Bell). The model of words spells a
# word that it has never seen. Both therefore give every text a probability.


class Interpolated:
    """Probability of a token after up to `order` others, from counts of all shorter contexts."""

    def __init__(self, texts, order, fallback):
        self.order, self.fallback = order, fallback
        self.counts = defaultdict(Counter)
        for tokens in texts:
            for i, token in enumerate(tokens):
                for k in range(min(i, order) + 1):
                    self.counts[tuple(tokens[i - k : i])][token] += 1
        self.totals = {context: found.total() for context, found in self.counts.items()}

    def probability(self, context, token):
        p = self.fallback(token)
        for k in range(min(len(context), self.order) + 1):
            suffix = tuple(context[len(context) - k :])
            if suffix in self.totals:
                found, total = self.counts[suffix], self.totals[suffix]
                p = (found[token] + len(found) * p) / (total + len(found))
        return p

    def losses(self, tokens):
        p = [
            self.probability(tokens[max(0, i - self.order) : i], token)
            for i, token in enumerate(tokens)
        ]
        return -np.log(p)


def words(text):
    """Words, spaces and other characters, one token each; a space belongs to the next word."""
    return re.findall(r" ?\w+|\W", text)


def spelling(word):
    """Probability of a word by its letters, and of where it ends."""
    letters = [*word, "end"]
    return np.exp(-letter_model.losses(letters).sum())


letter_model = Interpolated(
    [[*word, "end"] for text in training for word in set(words(text))], 2, lambda letter: 1 / 1e4
)
word_model = Interpolated(map(words, training), 2, spelling)
character_model = Interpolated(map(list, training), 4, lambda character: 1 / 1e4)

losses = {
    "words": [word_model.losses(words(text)) for _, text in held_out],
    "characters": [character_model.losses(list(text)) for _, text in held_out],
}

# %%
# Sums
# ----
# A sum is a total and a weight. The perplexities of the two models are those of choices among words
# and among characters, and say nothing about which model is better. Bits per byte do.

sizes = np.array([len(text.encode()) for _, text in held_out])
for name, parts in losses.items():
    found = skxent.CrossEntropySum.of_losses(parts)
    print(
        f"{name:10}  {found.weight:6.0f} tokens, perplexity {found.perplexity:6.2f}, "
        f"{found.bits_per(sizes.sum()):.4f} bits per byte"
    )

# %%
# The difference, by document
# ---------------------------
# Tokens of a document depend on each other, so that documents are the independent samples, and the
# two models are paired by document. The lengths of the documents differ, which the standard error
# of a ratio accounts for.

print(skxent.compare_losses(losses, baseline="words", units=sizes, base=2))

# %%
# An interval that takes tokens as independent samples is too short.

by_document = skxent.mean_loss_interval(losses["characters"])
naive = skxent.mean_loss_interval(np.concatenate(losses["characters"]))
print(
    f"mean loss of a character {by_document.mean:.3f} nats, standard error "
    f"{by_document.standard_error:.4f} by document, {naive.standard_error:.4f} by character"
)

# %%
# Where the losses are
# --------------------
# A report splits the sum by the module of a document. Standard errors are again by document.

domains = [name for name, _ in held_out]
print(skxent.CrossEntropyReport.of_losses(losses["words"], by=domains, base=2, n_worst=1))

skxent.LossDistributionDisplay.from_losses(
    losses["words"], by=domains, base=2, hard=True, n_worst=3
)
plt.show()
