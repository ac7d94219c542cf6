"""The constants of the likelihood engine.

The comment above a constant says what the constant limits, in which unit, and why it has this
value. `tests/benchmarks/bench_tuning.py` moves each constant and prints the effect on time, passes
and gaps; the documentation has its table.
"""

from sys import float_info

EPS = float_info.epsilon

# Preconditioners

# Number added to the diagonal of a matrix of unit diagonal before its Cholesky factorisation, which
# fails on a singular matrix. It is a few hundred epsilons, about the rounding of the matrix.
JITTER = 1e-13
# Factor by which the jitter grows until the factorisation succeeds.
JITTER_GROWTH = 100.0
# Smallest diagonal entry of a Cholesky factor, of a matrix of unit diagonal, that is certainly more
# than rounding. Its square is 1e-10; rounding of a sum of squares leaves about 1e-15.
CERTAIN_PIVOT = 1e-5
# Bounds of the gap assume that the objective's curvature along an intercept is at least this
# fraction of the preconditioner's. The penalty bounds the gap of coefficients only, but on centred
# samples intercepts hardly depend on the coefficients.
INTERCEPT_CURVATURE = 0.1
# Largest expected number of rows drawn for a class block, as a multiple of the block's width. A
# smaller multiple makes the block too noisy. A larger one costs as much as the block saves.
DRAWN_ROWS = 8

# The Hessian from rows

# Smallest distance of an extreme entry from the median of its column, in units of the median
# distance. The square of such an entry is a million times the squares of other entries, which lose
# six digits in the Hessian. The Hessian may then have to be factored from the rows.
EXTREME_RATIO = 1e3
# Largest number of operations of a QR factorisation of the rows, about a second.
QR_OPERATIONS = 1e9
# Difference of the two largest logits of a sample, above which the sample has no curvature along a
# step that changes its logits by less than half of the difference. The probabilities of the other
# classes stay below exp(-50) = 2e-22, which is lost beside one in float64.
DECIDED_MARGIN = 100.0
# Pivot of QR, as a fraction of the column's norm, below which it is rounding, without a penalty.
RANK_TOLERANCE = 1e-13

# Stages of L-BFGS

# Largest ratio of the decrement at which a stage would end to the stage's goal, for which the stage
# goes on until the goal. Reaching the goal then costs less than a new preconditioner.
GOAL_IN_REACH = 50.0
# Newton decrement at which a stage ends (its goal), as a fraction of the target gap, if no step of
# conjugate gradients follows. It is below one: the preconditioner differs from the Hessian.
GOAL = 0.1
# Weight of squared residuals in the `preconditioners` after a stage that failed or struggled.
RESIDUAL_WEIGHT = 0.1
# Largest change of a logit by the first trial step of a stage after one that failed or struggled.
FIRST_CHANGE = 8.0
# A preconditioner is too poor if the decrement fell by less than this factor in a stage.
SLOW_FALL = 10.0
# Number of evaluations for each iteration of a stage, after three for the stage itself. A line
# search that takes more is said to struggle.
EVALUATIONS = 1.3
# Number of corrections (pairs of a step and a change of the gradient) that L-BFGS keeps.
CORRECTIONS = 10
# CORRECTIONS for more than MANY_PARAMETERS parameters; more cost more than a pass over sparse rows.
FEW_CORRECTIONS = 3
MANY_PARAMETERS = 30_000

# Newton steps and conjugate gradients

# Norm of the residual at which conjugate gradients stop, as a fraction of the norm of the gradient,
# both whitened. At 0.1 they missed a direction of little curvature and thus much of the gap.
CG_RESIDUAL = 0.03
# CG_RESIDUAL without a penalty: the gradient is nearly zero along directions that separate classes.
UNPENALISED_CG_RESIDUAL = 1e-3
# Largest number of Hessian products of conjugate gradients: a new stage would cost more than these.
CG_PRODUCTS = 1000
# CG_PRODUCTS if the search may take no further step, and only measures the gap that it reports.
LAST_CG_PRODUCTS = 100
# Norm of the residual, as a fraction of the norm of the gradient, at which conjugate gradients stop
# if the gap is above the target. A step from far away need not be accurate.
LOOSE_RESIDUAL = 0.3
# Largest ratio of the part of a gap that conjugate gradients left unmeasured to the measured part.
GAP_FACTOR = 4.0
# Factor by which a preconditioner from a sample of rows may overrate the curvature along a
# direction. The gap of a whitened residual r is then at most this factor times |r|^2 / 2.
OVERRATED = 100.0
# Value of `tol`, in nats. Conjugate gradients stop if the gap is certain to be below the target gap
# of a fit with this `tol`: the exact size of so small a gap does not matter.
KNOWN_GAP = 1e-6
# Estimated distance to the minimum, as a fraction of the parameters, at which a certified fit ends.
# The distance itself is then at most 1e-6 on the problems of the benchmarks.
STEADY = 2.5e-7
# Largest decrement, as a multiple of the target gap, at which a stage ends and the gap is measured.
HINT = 4.0
# Largest change of a logit for which the Hessian from before a step still holds after the step. A
# Newton step that changes logits by less leads to a finite minimum.
SMALL_CHANGE = 0.1
# Largest change of a logit by a Newton step with a vanished gap, for which the minimum counts as
# finite unless a separation is found. If classes can be separated, an exact step changes one by 1.
FINITE_CHANGE = 0.9
# Largest change of a logit after which the curvature from before the change still gives a bound. A
# change by 8 alters the curvature by up to exp(8), a factor of 3000.
FAR_CHANGE = 8.0
# Largest change of a logit by a Newton-CG step. A longer step began too far from the minimum.
CG_CHANGE = 2.0
# Factor by which `Search.cg_gap` shrinks after a CG step that began too far from the minimum.
CG_GAP_FACTOR = 0.01
# A Newton step is taken if the objective falls by more than this fraction of the decrement. A
# quadratic function would fall by the whole decrement.
SUFFICIENT_FALL = 0.5
# Slope of the objective at the end of a Newton step, as a fraction of the slope at its start. With
# a steeper slope a second point on the line is worth an evaluation.
LINE_SLOPE = 0.15
# The same slope, negative after a step that is too long, below which the line is searched. Here a
# quadratic model still shortens the step to 0.62; slopes of exponentials reach -1e6.
STEEP_SLOPE = -1.0
# Fall of the objective on the line of a Newton step, as a fraction of the decrement, below which a
# stage of L-BFGS follows. The minimum on the line is then so near that the direction is wrong.
LINE_FALL = 0.05
# Halvings of a Newton step whose slopes are computed first: a shorter step falls by too little.
LINE_HALVINGS = 10
# Gap, as a fraction of the objective, below which another Newton step is not worth its cost.
NEGLIGIBLE_GAP = 1e-20
# Smallest target gap, in rounding errors of the objective. A smaller gap cannot be resolved.
ROUNDINGS = 8
# Gap, in nats, below which logits that still change are taken to go to infinity.
VANISHED_GAP = 1e-11
# The same gap, in nats, if no better point is found in float64.
STUCK_GAP = 3e-5

# Passes

# Number of passes that the first read of X counts as.
FIRST_READ_PASSES = 1.0
# Number of passes for each iteration that `max_iter` allows. The search ends after this number
# times `max_iter`, even if it has made fewer iterations: one iteration may take many passes.
PASSES_PER_ITERATION = 10
# Number of passes added to those spent if a preconditioner was too poor: the next comes earlier.
POOR_ADVANCE = 12.0

# Costs

# Operations of the cheapest pass: with next to no rows, the calls of functions take this long.
CALL_OPERATIONS = 1e6
# Largest number of operations, a few milliseconds, of a preconditioner made without samples.
FEW_OPERATIONS = 2e7
# Cost, in passes, of the first preconditioner from a sample; limits the number of rows drawn.
PRECONDITIONER_PASSES = 4
# Cost of the first Hessian, in passes, above which the search starts with class blocks.
START_PASSES = 6
# Cost of the first factored preconditioner (class blocks or Hessian), in passes, above which the
# search starts with the diagonal.
DIAGONAL_PASSES = 16
# Smallest cost, in passes, of a preconditioner that is used for a long stage. A Hessian of this
# cost is not computed again for each Newton step.
DEAR_PASSES = 12
# Smallest number of rows of a sample for each parameter: fewer give no useful curvature.
LEAST_ROWS = 8
# Largest number of rows of a sample for each parameter: more give no better curvature.
MOST_ROWS = 200
# Number of rows that a sample may always have, however few the parameters are.
MOST_ROWS_LEAST = 2000
# Ratio of the rows of a sample to those of the sample before, when the search escalates.
MORE_ROWS = 4
# Largest width of a Hessian, in parameters: its factorisation takes the third power of the width,
# which costs more than the curvature saves. With solver="newton" memory, two gigabytes, limits it.
HESSIAN_WIDTH = 2400
NEWTON_WIDTH = 5000
# Largest number of entries of all class blocks together, 64 megabytes. Threads hold a few copies.
CLASS_ELEMENTS = 1 << 23
# Divisor of the operations of drawn class blocks, compared with those of a pass: large matrix
# products are faster than a pass, and a drawn row saves about twice its own time.
DRAWN_SPEED = 6
# Number of columns of a sparse X, above which the diagonal is the only preconditioner.
SPARSE_FEATURES = 1000
# Largest number of entries of X that are copied to a dense array, to find out which rows are
# independent: 128 megabytes.
ROW_SPACE_NUMBERS = 1 << 24
# Largest number of rows of a dense X that is fitted in the space of its rows: 500, and 200 more for
# each row of logits. The change of coordinates then costs few passes.
ROW_SPACE_ROWS = 500
ROW_SPACE_ROWS_PER_OUTPUT = 200

# Schedule

# A stage ends after this many L-BFGS iterations, or once the decrement has fallen by this factor.
SHORT_STAGE = 6
SHORT_FALL = 1e3
# SHORT_STAGE and SHORT_FALL for a preconditioner that costs DEAR_PASSES or more.
LONG_STAGE = 15
LONG_FALL = 1e6
# Number of L-BFGS iterations of a stage with the diagonal, which is cheap but a poor model. Stages
# are long with solver="lbfgs" over wide sparse rows, where conjugate gradients never take over.
DIAGONAL_STAGE = 12
LONG_DIAGONAL_STAGE = 100
# Gap, as a fraction of the objective, below which conjugate gradients take over from L-BFGS over
# wide sparse rows. The objective is then nearly quadratic.
CG_GAP = 1e-3
# Smallest number of rows for each parameter, for which the minimum of a sample is a better start.
START_ROWS = 20
# Smallest number of rows of a sample that is worth a fit of its own.
LEAST_SAMPLE = 500
# Ratio of the numbers of rows of successive samples, which are minimised from small to large.
FEWER_ROWS = 8
# Gap on a sample, in nats for each parameter, at which its minimisation ends. At the minimum of all
# rows the sample's gap is about half a nat for each parameter; this is a tenth of it.
SAMPLE_GAP = 0.05
# Largest number of stages on a sample.
SAMPLE_STAGES = 20
# Smallest effective fraction of curved rows in a sample that also makes the preconditioner.
CURVED_ROWS = 0.2

# The objective at the parameters that a fit returns

# Rounding error of a logit, above which the objective is evaluated anew at the returned parameters.
SAME_LOGITS = 1e-7
# The same for the sum of losses, as a fraction of the objective: it matters for one next to zero.
SAME_VALUE = 1e-9
# Largest rounding error of the objective in a converged fit, as a tolerance of `target_gap`. Also
# the rounding error of a logit, above which the objective's is computed sample by sample.
MOST_ROUNDING = 1e-3
# Fraction of the target gap that rounding may add to the objective of any fit.
ROUNDING_OF_TARGET = 0.25

# Reading rows. Sizes are counts of float64 numbers, of eight bytes, where no other unit is given.

# Size of the rows and logits of one block: eight megabytes, about the cache of a core.
BLOCK_ELEMENTS = 1 << 20
# Size of a run, a part of a block: four megabytes. Up to two copies of a run exist at a time.
RUN_ELEMENTS = 1 << 19
# Smallest number of rows of a run: products of fewer rows are slow.
LEAST_RUN = 512
# Largest size of rows and logits, four megabytes, of one block whose centred samples are kept.
ONE_BLOCK_ELEMENTS = 1 << 19
# Number of logits of a block of sparse rows: more, as each sparse product writes d x K numbers.
SPARSE_BLOCK_LOGITS = 1 << 20
# Number of stored entries of a block of sparse rows; float32 entries are copied to float64.
SPARSE_BLOCK_ENTRIES = 1 << 21
# Size of a product, above which NumPy releases the interpreter's lock.
UNLOCKED_ELEMENTS = 500
# Number of blocks, below which it is rounded up to a multiple of four, for equal shares of threads.
EVEN_BLOCKS = 16
# Largest number of segments of rows, which threads share.
SEGMENTS = 64
# Number of segments that are allowed even if their sums are larger than `SEGMENT_SUMS`.
FEW_SEGMENTS = 4
# Largest size of the sums of all segments together: 64 megabytes.
SEGMENT_SUMS = 1 << 23
# Largest number of classes for which comparing labels with all classes makes one-hot rows fastest.
FEW_CLASSES = 16
# Size of the rows and logits of one batch on a device: 16 megabytes.
DEVICE_BATCH_ELEMENTS = 1 << 21
# Largest number of probabilities, or of logits on a line, that are kept for more sums at the same
# point or on the same line: eight megabytes, which are read faster than computed again.
KEPT_PROBABILITIES = 1 << 20

# Grams

# Largest number of entries of a sample whose outer product is formed once for all class weights.
PACKED_WIDTH = 96
# Largest number of entries of a sample, per class weight, for which shared products are faster.
PACKED_RATIO = 3.5
# Size of the outer products of one batch of rows: four megabytes, and eight on a device.
PACKED_SPACE = 1 << 19
DEVICE_PACKED_SPACE = 1 << 20
# Sum of squares, as a fraction of its positive terms, below which it is only rounding.
CANCELLED_SQUARES = 1e-13

# Sums over rows: rounding, overflow and memory

# Largest margin z, in logits, of a sample whose loss, exp(-z), is not zero in float64.
LONGEST_LOGIT = 745.0
# Distance of a column's mean from zero, in deviations, above which blocks are centred before they
# are multiplied: centring afterwards would lose three digits, or a binary digit of float32.
FAR_CENTRE = 1e3
FAR_CENTRE_SINGLE = 2.0
# FAR_CENTRE for a sparse column, which has next to no zeros if its mean is so far from zero.
FAR_SPARSE_COLUMN = 1e2
# Least curvature of a model in float32, in rounding errors, that is accurate enough: to a tenth.
SINGLE_MARGIN = 10.0
# Number of rows from which the middle of a column is estimated: enough for a median, cheap to sort.
MIDDLE_ROWS = 15
# Distance of the middle from zero, as a multiple of the range of these rows, above which the middle
# is subtracted before sums are taken. Otherwise squares lose less than two digits.
FAR_MIDDLE = 8.0
# Number of entries of a sparse X that are squared at a time: two megabytes.
SQUARED_ENTRIES = 1 << 18
# Number of rows of weight zero that are checked at a time, so that few rows are copied at a time.
UNWEIGHTED_ROWS = 1024
# Entry whose square, times the weight of a sample in the curvature, may overflow.
OVERFLOWING = 1e150
# Mean square of a column, below which some terms are subnormal numbers and have lost digits.
SUBNORMAL_SQUARES = 1e-292
# Variance over squared mean of a sparse column, below which its sum of squares keeps fewer than
# seven digits of the variance. The column is then read again.
NEARLY_CONSTANT = 1e-9
# Size of a pivot or residual up to which it may be rounding, in units of the rounding error of one
# term times the root of the number of terms of a sum.
FACTOR_ROUNDINGS = 16.0
# Ratio of the sizes of two columns, above which a QR factorisation pivots. Without pivots the
# rounding of the large column, 1e3 epsilons of the small one, would spoil its coefficients.
UNEVEN_COLUMNS = 1e3

# Samples of rows

# Fraction of a sample that is drawn by class, and not by scores: enough to miss no class.
DRAWN_BY_CLASS = 0.2
# Number of rows drawn for columns that a sample missed, as a fraction of the sample's size.
DRAWN_BY_COLUMN = 0.5
# Ratio of the second moments of a column in the sample and in all rows. Beyond this factor, in
# either direction, the sample missed the column.
MISSED_COLUMN = 3.0

# Penalties and columns that depend on others

# Curvature of the penalty, as a fraction of the largest curvature of the loss, up to which a fit in
# the space of the rows leaves the penalty out. If rows depend on others, rounding errors of about
# EPS times X stand for zeros; a stronger penalty keeps their effect on a logit below sqrt(EPS).
WEAK_PENALTY = EPS**1.5
# Curvature of the penalty, as a fraction of the smallest curvature of the loss, up to which the
# penalty changes no result in float64.
NEGLIGIBLE_PENALTY = EPS
# Distance of an entry from the median of its column, in units of the median distance, above which
# the other entries lose more than half of their digits in sums.
GRADED_RATIO = 1e8
# Number of passes that a change of coordinates counts as.
CHANGE_PASSES = 2
# Number of refinements of a least-norm solution. Each corrects most of the digits still wrong.
REFINEMENTS = 2
# Largest number of entries of the dense orthogonal columns: 34 megabytes.
ORTHOGONAL_NUMBERS = 1 << 22
# Squared part of a column of unit size that the other columns do not explain, above which the
# column is certainly independent. Rounding leaves about 1e-15.
RANK_PIVOT = 1e-10
# The same part, not squared, below which columns are made orthogonal. The Hessian multiplies the
# square of the part by probabilities; a rounding error of 2e-16 of the column would hide it.
PLAIN_PIVOT = 1e-4
# Number of levels of residuals. Each is 1e-5 of the level before, and float64 ends at 1e-16.
RANK_LEVELS = 4
# Number of corrections of a residual's coefficients. Each gains the digits of the Gram matrix, five
# at least. The Gram matrix of sparse columns far from zero has fewer, so that more are made.
GRAM_CORRECTIONS = 1
FAR_GRAM_CORRECTIONS = 4
# Rounding error of a column's square that centring may leave, in epsilons of the squared mean.
CENTRING_ERROR = 400.0
# Largest value of RANK_PIVOT, which is raised for sparse columns far from zero.
FAR_RANK_PIVOT = 0.01
# Number of rows for each column in a subset of rows. If the subset has full rank, so has X.
FULL_RANK_ROWS = 8
# Largest number of columns whose Gram matrix is formed: 46 megabytes.
RANK_WIDTH = 2400

# Whether a finite minimum exists

# Largest fraction of a parameter's curvature that may come from `Objective.least_curvature`.
FLOORED_CURVATURE = 1e-4
# Smallest curvature of a direction, as a fraction of the Hessian's diagonal, that counts in the
# rank of the Hessian at the end of a fit. It is certainly more than rounding.
SEEN_CURVATURE = 1e-10
# Value of SEEN_CURVATURE for the Hessian at zero. A smaller fraction counts more directions: those
# whose curvature vanished during the fit make the two ranks differ.
LOST_CURVATURE = 1e-12
# Upper bound of the residual of a direct solution, as a fraction of the total weight.
DIRECT_RESIDUAL = 1e-9
# Ratio of the largest to the smallest weight, up to which sums keep digits of every sample.
EVEN_WEIGHTS = 1e4
# Distance from its middle, in deviations, of the mean of a column that is measured from its mean.
FAR_COLUMN = 10
# Rounding error of a margin for each entry of a sample, as a fraction of the largest coefficient.
MARGIN_ROUNDING = 8 * EPS
# Number of rounding errors of a margin, above which the margin is certainly positive.
CLEAR_MARGIN = 1e3
# Smallest divisor of a column, in rounding errors of its entries: it leaves errors of 1e-6 at most.
COARSE_COLUMN = 1e6
# Unit of corrections of a solution of HiGHS, which errs by less, as a part of its largest entry.
ROUNDING_OFF = 1e-6
# Coefficients of a solution below this fraction of the largest coefficient are set to zero.
NEGLIGIBLE_COEFFICIENT = 1e-9
# Smallest sum of margins, as a fraction of the sum's largest coefficient, that counts as positive.
NO_GAIN = 1e-12
# Number of samples whose entries are counted to estimate the size of a linear programme.
COUNTED_SAMPLES = 100
# Largest work of a programme, parameters squared times entries of a constraint: a second or two.
PROGRAMME_WORK = 1e7
# Largest number of features that are left out on trial, one by one.
TRIED_FEATURES = 30
# Largest number of iterations of HiGHS for each row and column of a programme; it needs one or two.
PROGRAMME_ITERATIONS = 10
# Seconds of all programmes of one search by the processor, and of each programme by the clock.
PROGRAMME_SECONDS = 20.0
# Largest number of coefficients for which programmes go on after sums of columns have separated.
QUICK_PROGRAMME = 200
# Largest number of samples times classes for which sums of columns are searched for absent classes.
ABSENT_NUMBERS = 1 << 27
# Curvature of a column, as a fraction of its centre's part, up to which it is rounding.
NO_CURVATURE = 1e-9
# Factor of the intercepts before a pivoted factorisation of the Hessian: they are its first pivots.
FIRST_PIVOT = 100.0
# Distance, in logits, at which a fit begins along a direction that separates classes.
ABSENT_LOGIT = 2 * DECIDED_MARGIN
