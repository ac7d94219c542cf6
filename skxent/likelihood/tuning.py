"""The constants of the engine: the unit of each, what it limits and why it has this value.

The comment above a constant begins with its unit. `tests/benchmarks/bench_tuning.py` moves each
constant and prints what follows for time, passes and gaps; the documentation has its table.
"""

from sys import float_info

EPS = float_info.epsilon

# Preconditioners

# Part of a unit diagonal. Added before a factorisation, which fails on a singular matrix without
# it. A hundred epsilons: next to nothing for any direction that is more than rounding.
JITTER = 1e-13
# Factor. The jitter grows by it until the factorisation succeeds.
JITTER_GROWTH = 100.0
# Root of a part of a parameter's curvature. A pivot above it, squared, is more than what rounding
# leaves of a sum of squares, with a factor of 1e5 to spare.
CERTAIN_PIVOT = 1e-5
# Part of an intercept's curvature in the model that is left, at least, given the other parameters.
# Intercepts have no penalty to bound their gap. On centred samples they are nearly independent.
INTERCEPT_CURVATURE = 0.1
# Rows for each entry of a sample that are drawn for a class block, at most. Fewer make the block
# too noisy, more cost as much as the block saves.
DRAWN_ROWS = 8

# The Hessian from rows

# Median sizes of a column's entries. The squares of a larger entry hide half of the digits of the
# others, so that the Hessian may have to be made from rows.
EXTREME_RATIO = 1e3
# Operations. A QR of that many takes about a second; larger problems keep the Hessian.
QR_OPERATIONS = 1e9
# Logits. A sample with half of this margin has other probabilities of 2e-22, which are lost beside
# one in float64: it has no curvature.
DECIDED_MARGIN = 100.0
# Part of a column. Without a penalty a smaller remainder of the column is taken for rounding.
RANK_TOLERANCE = 1e-13

# Stages of L-BFGS

# Ratio. A goal that is no farther than this below the usual end of a stage is gone to at once.
GOAL_IN_REACH = 50.0
# Part of the target gap. The decrement at which a stage ends, which leaves room for the difference
# of the model and the Hessian.
GOAL = 0.1
# Weight of squared residuals in the preconditioner after a stage whose line search struggled.
RESIDUAL_WEIGHT = 0.1
# Logits. The longest change by the first step of a stage after one that failed or struggled.
FIRST_CHANGE = 8.0
# Factor. The preconditioner is too poor if the decrement fell by less in a stage.
SLOW_FALL = 10.0
# Evaluations for each iteration, beyond three. A line search that takes more is struggling.
EVALUATIONS = 1.3
# Pairs of steps and gradients that L-BFGS keeps.
CORRECTIONS = 10
# The same for more than MANY_PARAMETERS, where the work on the pairs takes longer than a pass over
# sparse rows.
FEW_CORRECTIONS = 3
# Parameters.
MANY_PARAMETERS = 30_000

# Newton steps and conjugate gradients

# Part of the gradient's norm, whitened. The residual at which conjugate gradients stop. At 0.1 a
# direction of little curvature was missed, and with it much of the gap.
CG_RESIDUAL = 0.03
# The same without a penalty: along directions that separate classes the gradient is next to zero.
UNPENALISED_CG_RESIDUAL = 1e-3
# Hessian products, at most. To begin a new stage costs more than to go on.
CG_PRODUCTS = 1000
# The same for a gap that is only reported, where no step follows.
LAST_CG_PRODUCTS = 100
# Part of the gradient's norm. The residual that is left by steps that begin far from the minimum.
LOOSE_RESIDUAL = 0.3
# Ratio. What is left of a gap, over what was measured of it, at most.
GAP_FACTOR = 4.0
# Factor. The curvature of a direction may be smaller by this than in a preconditioner from a sample
# of rows.
OVERRATED = 100.0
# Nats, for the tolerance 1 of `target_gap`. Of a smaller gap no more is measured than that.
KNOWN_GAP = 1e-6
# Ratio to the target. At a smaller decrement of the preconditioner the gap itself is measured.
HINT = 4.0
# Logits. If a Newton step changes none by more, the Hessian still holds at its end, and the step is
# on the way to a finite minimum.
SMALL_CHANGE = 0.1
# Logits. Beyond, the curvature at one point bounds that at another by no useful factor.
FAR_CHANGE = 8.0
# Logits. If a step of conjugate gradients changes one by more, it began too far from the minimum.
CG_CHANGE = 2.0
# Factor of `Plan.cg_gap` after such a step.
CG_GAP_FACTOR = 0.01
# Part of the decrement. A Newton step is taken if the objective falls by more; a quadratic falls by
# the whole decrement.
SUFFICIENT_FALL = 0.5
# Part of the slope at the beginning. If more is left at the end of a Newton step, a second point on
# its line is worth an evaluation.
LINE_SLOPE = 0.15
# Part of the objective. A smaller gap is not worth another Newton step.
NEGLIGIBLE_GAP = 1e-20
# Rounding errors of the objective. A smaller gap cannot be resolved.
ROUNDINGS = 8
# Nats. Logits that still change at a smaller gap are on their way to infinity.
VANISHED_GAP = 1e-11
# Nats. The same if no better point was found in float64.
STUCK_GAP = 3e-5

# Passes

# Passes that the first read of X counts for.
FIRST_READ_PASSES = 1.0
# Passes for each iteration that is allowed. The search ends if it has taken more.
PASSES_PER_ITERATION = 10
# Passes by which a preconditioner that was too poor is left earlier than by its cost.
POOR_ADVANCE = 12.0

# Costs

# Operations that take as long as a pass over next to no rows.
CALL_OPERATIONS = 1e6
# Operations of a few milliseconds. A preconditioner that takes fewer is made from all rows.
FEW_OPERATIONS = 2e7
# Passes that a preconditioner may cost, at first.
PRECONDITIONER_PASSES = 4
# Passes that the first one may cost, if a smaller kind would do.
START_PASSES = 6
# Passes above which the diagonal comes first.
DIAGONAL_PASSES = 16
# Passes above which a preconditioner is used for longer.
DEAR_PASSES = 12
# Rows for each parameter: fewer give no useful curvature.
LEAST_ROWS = 8
# Rows for each parameter: more give no better curvature.
MOST_ROWS = 200
# Rows. The same for few parameters.
MOST_ROWS_LEAST = 2000
# Factor of the rows of a sample from one choice to the next.
MORE_ROWS = 4
# Parameters. The third power of a wider Hessian costs more than its curvature saves.
HESSIAN_WIDTH = 2400
# Numbers in all class blocks together, of which threads hold a few copies: 64 megabytes each.
CLASS_ELEMENTS = 1 << 23
# Ratio. A drawn row costs less by this, because large products are fast, and is worth twice its
# time.
DRAWN_SPEED = 6
# Columns. Samples of a wider sparse X are not made dense.
SPARSE_FEATURES = 1000
# Numbers of the rows that are written out to find out which are independent: 128 megabytes.
ROW_SPACE_NUMBERS = 1 << 24
# Rows. With fewer, and 200 more for each row of logits, the space of the rows costs few passes.
ROW_SPACE_ROWS = 500
ROW_SPACE_ROWS_PER_OUTPUT = 200

# Schedule

# L-BFGS iterations of a stage, and factor of the decrement after which it ends.
SHORT_STAGE = 6
SHORT_FALL = 1e3
# The same for a preconditioner that costs more than DEAR_PASSES.
LONG_STAGE = 15
LONG_FALL = 1e6
# L-BFGS iterations of a stage with the diagonal, which costs one pass but sees little.
DIAGONAL_STAGE = 12
# Nats for each nat of the objective. At a smaller gap Newton's steps are nearly straight, so that
# conjugate gradients take over from the diagonal over wide sparse rows.
CG_GAP = 1e-3
# Rows for each parameter, of a sample that is a better start than zero for Newton's steps.
START_ROWS = 20
# Rows of a sample that is worth a fit of its own.
LEAST_SAMPLE = 500
# Factor between the rows of the samples that are minimised one after the other.
FEWER_ROWS = 8
# Nats for each parameter. The gap at which a sample is left: a tenth of the gap of its minimum.
SAMPLE_GAP = 0.05
# Stages on a sample, at most.
SAMPLE_STAGES = 20
# Part of the rows of a sample. If its curvature comes from as many rows, it is not drawn again.
CURVED_ROWS = 0.2

# The objective at the parameters that a fit returns

# Logits. If rounding changes them by less, the objective is taken from the fit.
SAME_LOGITS = 1e-7
# Part of the objective. The same, for an objective next to zero.
SAME_VALUE = 1e-9
# Nats, for the tolerance 1 of `target_gap`: rounding adds no more to a converged fit. And logits:
# if rounding may change one by more, the sum of the losses is checked sample by sample.
MOST_ROUNDING = 1e-3
# Part of the target gap that may always be lost to rounding.
ROUNDING_OF_TARGET = 0.25

# Reading rows

# Numbers in the rows and logits of one block: eight megabytes, about the cache of a core.
BLOCK_ELEMENTS = 1 << 20
# Numbers in a run of rows within a block, of which there may be two copies.
RUN_ELEMENTS = 1 << 18
# Rows of a run, at least: products of fewer are slow.
LEAST_RUN = 512
# Numbers up to which all rows are one block, and kept as samples: four megabytes.
ONE_BLOCK_ELEMENTS = 1 << 19
# Logits of a block of sparse rows, which are larger: a sparse product writes d x K numbers.
SPARSE_BLOCK_LOGITS = 1 << 20
# Entries of a block of sparse rows, which are copied to float64 if they are float32.
SPARSE_BLOCK_ENTRIES = 1 << 21
# Numbers of a result, above which NumPy releases the lock of the interpreter.
UNLOCKED_ELEMENTS = 500
# Blocks. With fewer, an odd number is made even, so that two threads end together.
EVEN_BLOCKS = 16
# Parts of the rows that threads share, enough for many threads; and the number of parts if their
# sums are large.
SEGMENTS = 64
FEW_SEGMENTS = 4
# Numbers in the sums of all parts together: 64 megabytes.
SEGMENT_SUMS = 1 << 23
# Classes. With no more, one-hot rows are made by comparing labels with all classes, which is then
# faster than writing a one at the place of each label.
FEW_CLASSES = 16
# Numbers in the rows and logits of one batch on a device: 16 megabytes of float64.
DEVICE_BATCH_ELEMENTS = 1 << 21
# Probabilities of all samples that are kept for more Hessian products at the same point: eight
# megabytes, which are read faster than computed again.
KEPT_PROBABILITIES = 1 << 20

# Grams

# Entries of a sample. With no more, outer products of rows are formed once for all class weights; a
# longer sample has too many products to keep in cache.
PACKED_WIDTH = 96
# Entries of a sample for each class weight, up to which forming the outer products pays.
PACKED_RATIO = 3.5
# Numbers in the outer products of one batch of rows: four megabytes, eight on a device.
PACKED_SPACE = 1 << 19
DEVICE_PACKED_SPACE = 1 << 20
# Part of the positive terms. A smaller difference of sums is taken for rounding.
CANCELLED_SQUARES = 1e-13

# Rounding of sums over rows

# Logits. The loss of a confident sample is exp(-z), which is zero in float64 beyond z = 745.
LONGEST_LOGIT = 745.0
# Deviations of a column. If its mean is farther from zero, three digits of centred logits cancel,
# and blocks are centred before they are multiplied.
FAR_CENTRE = 1e3
# The same for a sparse column, which then has next to no zeros.
FAR_SPARSE_COLUMN = 1e2
# Rows from which the middle of a column is estimated: enough for a median, and cheap to sort.
MIDDLE_ROWS = 15
# Ranges of these rows. A middle farther from zero is subtracted before sums are taken; of a nearer
# one squares lose less than two digits, and X is read without a copy.
FAR_MIDDLE = 8.0
# Entries of a sparse X that are squared at a time: two megabytes.
SQUARED_ENTRIES = 1 << 18
# Rows without weight that are looked at together, so that few are copied at a time.
UNWEIGHTED_ROWS = 1024
# A number whose square, times a sample's part in the curvature, is near the end of float64.
OVERFLOWING = 1e150
# Mean square of a column. If it is smaller, some of its terms are subnormal and have lost digits.
SUBNORMAL_SQUARES = 1e-292
# Variance over squared mean of a sparse column. If it is smaller, sums of squares have fewer than
# seven digits left, and the column is read again.
NEARLY_CONSTANT = 1e-9
# Rounding errors, times the root of the number of terms in a sum, that may be no signal. The errors
# of a factorisation grow with this root, by a factor of a few.
FACTOR_ROUNDINGS = 16.0
# Ratio of the sizes of two columns, above which a QR factorisation pivots. Without pivots the
# rounding of the large column, 1e3 epsilons of the small one, would show in its coefficients.
UNEVEN_COLUMNS = 1e3

# Samples of rows

# Part of the rows that is drawn by class if scores are given: enough to miss no class.
DRAWN_BY_CLASS = 0.2
# Part of the size that is drawn again for the columns that the first draw missed.
DRAWN_BY_COLUMN = 0.5
# Factor between the second moments of a column in the sample and in all rows, beyond which the
# sample missed the column.
MISSED_COLUMN = 3.0

# Penalties and columns that depend on others

# Part of the largest curvature. A weaker penalty is taken for none in the space of the rows. If
# rows depend on others, rounding leaves entries of an epsilon of X. A stronger penalty keeps what
# these entries add to a logit below the root of an epsilon.
WEAK_PENALTY = EPS**1.5
# Part of the least curvature. A weaker penalty changes no result in float64.
NEGLIGIBLE_PENALTY = EPS
# Median sizes of a column. Beside a larger entry the others keep less than half of their digits.
GRADED_RATIO = 1e8
# Passes that a change of coordinates counts for.
CHANGE_PASSES = 2
# Refinements of a solution of least norm. Each gains most of the digits that are still wrong.
REFINEMENTS = 2
# Numbers of the orthogonal columns that are written out: 34 megabytes.
ORTHOGONAL_NUMBERS = 1 << 22
# Squared part of a column of unit size that others do not explain. A larger one is certainly more
# than rounding, which leaves 1e-15 or so.
RANK_PIVOT = 1e-10
# The same, not squared. If it is smaller the Hessian does not show it: there it is squared and
# multiplied by probabilities, and rounding is 2e-16 of the whole.
PLAIN_PIVOT = 1e-4
# Levels of residuals. Each is 1e-5 of the one before, and float64 ends at 1e-16.
RANK_LEVELS = 4
# Corrections of the coefficients of a residual. Each gains as many digits as the Gram matrix has,
# five at least; and more of them for columns far from zero, whose Gram matrix has fewer.
GRAM_CORRECTIONS = 1
FAR_GRAM_CORRECTIONS = 4
# Epsilons of the mean square of a column that centring may leave as rounding errors.
CENTRING_ERROR = 400.0
# Largest RANK_PIVOT for columns far from zero.
FAR_RANK_PIVOT = 0.01
# Rows for each column. If so many rows have full rank, all rows have.
FULL_RANK_ROWS = 8
# Columns whose Gram matrix is formed, 46 megabytes of it.
RANK_WIDTH = 2400

# Whether a finite minimum exists

# Part of a parameter's curvature that may come from the floor under curvatures.
FLOORED_CURVATURE = 1e-4
# Part of the diagonal of the Hessian. A larger curvature is certainly more than rounding.
SEEN_CURVATURE = 1e-10
# The same at zero. A direction with a larger curvature counts, and may lose it on the way.
LOST_CURVATURE = 1e-12
# Part of the total weight that the residual of a direct solution never reaches.
DIRECT_RESIDUAL = 1e-9
# Ratio of the largest to the smallest weight. Up to it no sample is lost in sums.
EVEN_WEIGHTS = 1e4
# Deviations of a column. It is measured from its mean if that is farther from its middle.
FAR_COLUMN = 10
# Rounding error of a margin, for each entry of a sample.
MARGIN_ROUNDING = 8 * EPS
# Rounding errors of a margin. A larger margin is clearly above zero.
CLEAR_MARGIN = 1e3
# Rounding errors of its entries that the unit of a column is, at least.
COARSE_COLUMN = 1e6
# Part of the largest coefficient. Within it the coefficients of a solution are rounded off.
ROUNDING_OFF = 1e-6
# Part of the largest coefficient. A smaller one in a solution is zero.
NEGLIGIBLE_COEFFICIENT = 1e-9
# Part of the largest coefficient of a sum of margins. A smaller sum is no gain.
NO_GAIN = 1e-12
# Samples whose entries are counted to estimate the size of a programme.
COUNTED_SAMPLES = 100
# Squared parameters times entries of a constraint: programmes of a second or two.
PROGRAMME_WORK = 1e7
# Features. More are not tried out one by one.
TRIED_FEATURES = 30
# Iterations of HiGHS for each row and column of a programme. One or two are usual.
PROGRAMME_ITERATIONS = 10
# Seconds of the processor for all programmes of a search, and of the clock for each.
PROGRAMME_SECONDS = 20.0
