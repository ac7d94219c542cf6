"""
Inference on a pipeline
=======================

Which patients have more than the median progression of diabetes one year later? The features are
the sex, the body mass index, the blood pressure and a blood serum of 442 patients. A pipeline
encodes and scales them, and :func:`skxent.infer` takes the fitted pipeline with the data frame that
it was fitted to.
"""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.datasets import load_diabetes
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, SplineTransformer, StandardScaler

import skxent

data = load_diabetes(as_frame=True, scaled=False)
X = data.data[["sex", "bmi", "bp", "s5"]].rename(columns={"bp": "blood_pressure", "s5": "serum"})
X["sex"] = np.where(X["sex"] == 1, "first", "second")  # the source does not say which is which
y = np.where(data.target > data.target.median(), "fast", "slow")

# %%
# The body mass index has a quadratic spline with a knot at its mean. Its columns and the intercept
# must not be linearly dependent, hence ``include_bias=False``. For the same reason the encoder
# drops a category.

columns = ColumnTransformer(
    [
        ("cat", OneHotEncoder(drop="first", sparse_output=False), ["sex"]),
        ("spline", SplineTransformer(degree=2, n_knots=3, include_bias=False), ["bmi"]),
        ("num", StandardScaler(), ["blood_pressure", "serum"]),
    ]
)
pipe = make_pipeline(columns, skxent.LogisticClassifier(C=np.inf)).fit(X, y)
inference = skxent.infer(pipe, X, y, reference="slow")
print(inference)

# %%
# Every result prints as a table, and ``to_frame()`` returns it with the usual tidy columns. The
# names of the terms are complete there.

print(inference.odds_ratios())
print(inference.to_frame()[["term", "estimate", "std_error", "p_value"]].round(4).to_string())

# %%
# Which terms of the model come from which column? Together they say whether the column matters:
# here Wald's test of all coefficients of the body mass index.

print(inference.column_terms)
R = np.eye(inference.coef.size)[inference.column_terms["bmi"]]
print(inference.wald_test(R).summary())

# %%
# Intervals of probabilities, as functions of the body mass index. The samples are rows of the
# original data frame: the result of ``infer`` transforms them.

bmi = np.linspace(*X["bmi"].quantile([0.02, 0.98]), 100)
typical = pd.DataFrame([X[["blood_pressure", "serum"]].median()] * len(bmi)).assign(bmi=bmi)

fig, ax = plt.subplots(layout="constrained")
fast = inference.classes.index("fast")
for sex, style in (("first", "-"), ("second", "--")):
    P = inference.predict_proba_interval(typical.assign(sex=sex)[X.columns])
    (line,) = ax.plot(bmi, P.estimate[:, fast], style, label=f"{sex} sex")
    ax.fill_between(bmi, P.low[:, fast], P.high[:, fast], color=line.get_color(), alpha=0.2)
ax.set(xlabel="body mass index", ylabel="probability of fast progression, with 95 % intervals")
ax.set_ylim(0, 1)
ax.legend()
plt.show()

# %%
# The displays take the pipeline as well.

skxent.CoefficientDisplay.from_inference(inference, terms=inference.terms[-3:-1])
skxent.ConvergenceDisplay.from_estimator(pipe)
plt.show()
