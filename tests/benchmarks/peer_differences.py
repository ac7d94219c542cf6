"""Why skxent differs by intent from what scikit-learn's own tests expect.

`OPTIONS` has the reason for each option that `peer_adapters.NoSuchOption` may name. `TESTS` has the
other differences: a pattern of tests, words of the failure, and the reason. A test that fails with
other words is a failure, so that an entry cannot hide another one. `docs/comparison.md` has a table
of the reasons with the numbers of tests.
"""

ABSOLUTE = "no penalties with absolute values (`l1_ratio`)"
LIBLINEAR = "no solver like liblinear, which penalises the intercept, and none for the dual"
ENSEMBLE = "one classifier with one calibrator, and not one pair for each fold (`ensemble=True`)"
CHOICE = "C is chosen by cross-entropy only, and the fit is to all samples (`scoring`, `refit`)"
PATHS = "no attributes with coefficients or iterations of the fits of folds (`coefs_paths_`)"
ISOTONIC = "no isotonic calibration"
DENSE = "no sparse coefficients (`sparsify`)"

OPTIONS = {
    "l1_ratio": ABSOLUTE,
    "penalty='l1'": ABSOLUTE,
    "penalty='elasticnet'": ABSOLUTE,
    "solver='liblinear' with an intercept": LIBLINEAR,
    "dual=True": LIBLINEAR,
    "ensemble=True": ENSEMBLE,
    "method='isotonic'": ISOTONIC,
    "scoring of the choice of C": CHOICE,
    "refit=False": CHOICE,
    "use_legacy_attributes=True": PATHS,
    "coefs_paths_": PATHS,
    "sparsify()": DENSE,
}

FLOAT64 = "coefficients and probabilities are float64, also if X is float32"
WORDS = "an error or a warning has other words"
FASTER = "the fit converges in fewer iterations, so that there is no warning"
OLD = "the warning announces a change of scikit-learn's own arguments"
PRIVATE = "the test calls a private method, or counts iterations of scikit-learn's solvers"
LESS_ACCURATE = (
    "the test compares with a fit of scikit-learn's lbfgs, which stops before the minimum"
)
WIDE = "sparse matrices with 64-bit indices are fitted, and no error is raised"
SUMS = "rows of probabilities that do not sum to 1 are an error, and not a warning"
OUTCOMES = (
    "multilabel targets are for `binary_cross_entropy`; log loss takes one class for each sample"
)
UNSEEN = "a classifier that knows only one class has a score, and no error is raised"
ALONE = "each scorer in a dict calls `predict_proba` for itself"
ANY_ORDER = "`labels` may name the columns in any order"
PLATT = 'calibration by `method="bias"` has no smoothed targets, unlike "sigmoid"'
HOST = "calibrators compute with NumPy arrays only"
REQUESTS = "`set_score_request` returns a new scorer, also without metadata routing"
CALLBACKS = "callbacks work with every solver"
NO_ITERATION = "with `max_iter=0` a callback sees no iteration"

TESTS = [
    ("*::test_dtype_match*", "dtype('float64') == <class 'numpy.float32'>", FLOAT64),
    ("*_array_api_compliance*strict*float32*", "strict.float64 == array_api_strict", FLOAT64),
    ("*_array_api_compliance*torch*float32*", "torch.float64 == torch.float32", FLOAT64),
    ("*::test_max_iter*", "'LogisticRegression stopped after", WORDS),
    ("*::test_max_iter*", "Emitted warnings: [].", FASTER),
    ("*::test_inconsistent_input", "'X has 3 samples but y has 4", WORDS),
    ("*::test_passing_params_without_*", "fit got extra_param: enable metadata routing", WORDS),
    ("*::test_log_loss", "y_true[1] is 'b', which is not in labels", WORDS),
    ("*::test_continuous_inf_nan_input*log_loss*", "in row 0, outside [0, 1]", WORDS),
    ("*::test_continuous_inf_nan_input*metric3*", "in row 0, outside [0, 1]", WORDS),
    ("*::test_*_sample_weight_invariance*log_loss*", "'sample_weight has 100 samples", WORDS),
    ("*::test_penalty_none*", "of type (<class 'UserWarning'>,) were emitted", OLD),
    ("*::test_penalty_deprecated*", "of type (<class 'FutureWarning'>,)", OLD),
    ("*::test_*_warns_with_use_legacy_attributes", "of type (<class 'FutureWarning'>,)", OLD),
    ("*::test_l1_ratio_None_deprecated", "of type (<class 'FutureWarning'>,)", OLD),
    ("*::test_*_warns_with_n_jobs", "of type (<class 'FutureWarning'>,)", OLD),
    ("*::test_lr_scoring_warns", "of type (<class 'FutureWarning'>,)", OLD),
    ("*::test_log_loss_y_pred_deprecation", "unexpected keyword argument 'y_pred'", OLD),
    ("*::test_n_iter*", "(1,) == (2, 1, 4)", PATHS),
    ("*::test_newton_cholesky_fallback_to_lbfgs", "assert np.int", PRIVATE),
    ("*::test_logreg_predict_proba_multinomial*", "attribute '_predict_proba_lr'", PRIVATE),
    ("*::test_get_default_scorer", "no attribute '_get_scorer'", PRIVATE),
    ("*::test_logistic_cv_multinomial_score*neg_log*", "to 6 decimals", LESS_ACCURATE),
    ("*::test_large_sparse_matrix*", "DID NOT RAISE ValueError", WIDE),
    ("*::test_log_loss_not_probabilities_warning*", "y_pred does not sum to 1", SUMS),
    ("test_common.py::test_*", "Independent yes/no outcomes go to binary", OUTCOMES),
    ("*::test_log_loss_warnings", "1 warnings emitted", ANY_ORDER),
    ("*::test_thresholded_scorers", "DID NOT RAISE ValueError", UNSEEN),
    ("*::test_multimetric_scorer_calls_method_once*", "assert 2 == 1", ALONE),
    ("*::test_scorer_set_score_request_raises*log_loss*", "RAISE RuntimeError", REQUESTS),
    ("*::test_scorer_metadata_request*log_loss*", ".set_score_request(", REQUESTS),
    ("*::test_logistic_*_callback_support_warning", "(<class 'UserWarning'>,)", CALLBACKS),
    ("*::test_logistic_regression_callback_support*0*", "assert 2 == ((1 + 1) + 1)", NO_ITERATION),
    ("*::test_calibration_ensemble_false*sigmoid*", "Not equal to tolerance", PLATT),
    ("*::test_*_double_sample_weights_*sigmoid*", "Not equal to tolerance", PLATT),
    ("*::test_temperature_scaling_array_api_*", "externals.array_api_compat.numpy", HOST),
    ("*::test_temperature_scaling_array_api_*", "numpy.ndarray' object has no attribute", HOST),
    ("*::test_temperature_scaling_array_api_*", "must be Tensor, not numpy.ndarray", HOST),
]
