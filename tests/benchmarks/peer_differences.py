"""Why skxent differs by intent from what scikit-learn's own tests expect.

`OPTIONS` has the reason for each option that `peer_adapters.NoSuchOption` may name. `TESTS` has the
other differences: a pattern of tests, words of the failure, and the reason. A test that fails with
other words is a failure, so that an entry cannot hide another one. `docs/comparison.md` has a table
of the reasons with the numbers of tests.
"""

ABSOLUTE = "no penalty with absolute values (`l1_ratio`)"
LIBLINEAR = "no solver that penalises the intercept, as liblinear does, and none for the dual"
ENSEMBLE = "one classifier and one calibrator, and not those of each fold (`ensemble=True`)"
CHOICE = "cross-entropy chooses C, of coefficients from all samples (`scoring`, `refit=False`)"
PATHS = "no coefficients, iterations or scores by fold and class (`coefs_paths_` and others)"
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

FLOAT64 = "coefficients are float64, also of float32 data"
WORDS = "an error or a warning has other words, or names no solver"
FASTER = "a fit converges within the iterations after which a solver of scikit-learn warns"
OLD = "scikit-learn announces a change of its own arguments"
PRIVATE = "the test counts iterations of scikit-learn's solvers, or calls a private method"
LESS_ACCURATE = "the test compares a fit of scikit-learn's solver, which stops earlier"
WIDE = "64-bit indices of sparse matrices are taken, and not an error"
SUMS = "rows of probabilities that do not sum to 1 are an error, and not a warning"
OUTCOMES = "independent yes/no outcomes (multilabel) have a function of their own"
UNSEEN = "the scorer scores a classifier that knows one class only, and raises no error"
ALONE = "each scorer of a dict predicts for itself"
ANY_ORDER = "`labels` name the columns in any order, without a warning"
PLATT = 'targets are not smoothed as by Platt (`method="sigmoid"`)'
HOST = "calibrators compute with NumPy, also for arrays of other libraries"
REQUESTS = "`set_score_request` returns a new scorer, also without metadata routing"
CALLBACKS = "callbacks see the iterations of every solver"
NO_ITERATION = "with `max_iter=0` callbacks see no iteration"

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
