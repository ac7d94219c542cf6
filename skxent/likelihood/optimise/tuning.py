"""The constants of the minimiser: the unit of each, what it limits and why it has this value.

A comment begins with the unit. `tests/benchmarks/bench_tuning.py` moves each constant and prints
what follows for time, passes and gaps; `docs/tuning.md` holds its table.
"""

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
