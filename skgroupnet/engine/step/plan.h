/* What one model is trained on and with: the fields of PLAN in compiled.py, in order.
 *
 * Every field has eight bytes.  Numbers that the name "real" stands for are float or
 * double, as the plan's `itemsize` says.  Pointers may be null where that is said.
 */
#ifndef SKGROUPNET_PLAN_H
#define SKGROUPNET_PLAN_H

#include <stdint.h>

enum { RELU, RELU2, TANH, LOGISTIC, IDENTITY };
enum { CROSS_ENTROPY, LOG_LOSS, SQUARED_ERROR, POISSON };
enum { SGD, RMSPROP, ADAM, ADAMAX };
enum {
    KEEP,
    SOFT,
    RIDGE,
    SPARSE_SOFT,
    MASK,
    ELASTIC,
    FIRM,
    CLIPPED,
    CAPPED,
    HARD,
    LOGARITHM,
    TRANSFORMED,
    HALF_POWER,
    TWO_THIRDS
};

typedef struct {
    int64_t itemsize; /* 4 or 8 */

    /* The network: n_layers matrices between n_layers + 1 widths. */
    int64_t n_layers;
    const int64_t *widths;
    int64_t activation;
    int64_t loss;

    /* The rows.  X is (n, n_columns) row by row, of which some are chosen, or the values
     * of a CSR matrix whose columns are given; y is (n, k) row by row, or there are class
     * codes (n,). */
    const void *X;
    const int64_t *row_starts; /* null: X is dense */
    const int32_t *columns;
    int64_t n_columns;
    const int64_t *chosen; /* null: all columns */
    const int64_t *codes; /* null: y is given */
    const void *y;
    const double *constant; /* added to the loss of each row; null: nothing */

    /* An epoch: rows in their order and the weight of each in the gradient of its
     * batch (null: one over the rows of the batch).  Out: the loss of each batch. */
    const int64_t *order;
    const void *scale;
    int64_t n_rows;
    int64_t batch_rows;
    double *losses;

    /* The weights, matrix by matrix, then the biases. */
    void *weights;
    int64_t n_weights;
    int64_t n_parameters;
    int64_t fit_intercept;
    void *grad; /* the gradient of a sparse X, zero between the steps; else null */

    /* The update: its state, and the step that comes out for each group. */
    int64_t update;
    double rate;
    double beta_1; /* sgd: momentum */
    double beta_2; /* rmsprop: decay */
    double epsilon;
    int64_t nesterov;
    void *direction; /* first moment, or momentum; null: the gradient itself */
    void *moment;    /* second moment, or largest entry; null for sgd */
    void *step;

    /* The prox: real numbers, one a group. */
    int64_t shrink;
    double shape; /* of the penalty, if it has any */
    const void *strength; /* null: of KEEP */
    const void *other; /* lasso of SPARSE_SOFT, ridge of ELASTIC; else null */
    const void *free;  /* of MASK: one a weight */

    /* The groups.  Group group_ids[i] has the spans group_spans[i] to
     * group_spans[i + 1]; a run is a span of weights that are groups of one, with
     * consecutive numbers from run_groups on. */
    int64_t n_groups;
    const int64_t *group_ids;
    const int64_t *group_spans;
    const int64_t *span_starts;
    const int64_t *span_lengths;
    const void *inverse_sizes; /* by number of the group */
    int64_t n_runs;
    const int64_t *run_starts;
    const int64_t *run_lengths;
    const int64_t *run_groups;
} Plan;

/* A linear problem in descent.h: the fields of DESCENT in descent.py, in order. */
typedef struct {
    int64_t itemsize;
    int64_t n_rows;
    int64_t n_outputs;
    int64_t n_columns;
    const void *columns; /* (n_columns, n_rows): each column is contiguous */

    /* Curvature (n_curvatures, n_rows) of the outputs, or one for all of them, and its
     * sums; errors and raw prediction (n_outputs, n_rows) follow the weights. */
    int64_t n_curvatures;
    const void *curvature;
    const void *totals;
    void *errors;
    void *raw;
    int64_t centred; /* whether there is an intercept */
    void *means;     /* out: (n_curvatures, n_columns) */
    void *weights;   /* (n_columns, n_outputs) */

    /* The blocks of columns, and their curvature: to be measured if it is fresh. */
    int64_t n_blocks;
    const int64_t *block_starts;
    int64_t fresh;
    const int64_t *moment_starts;
    int64_t n_moments;
    void *moments; /* out: (n_curvatures, n_moments) */
    void *bounds;  /* out: one a block */
    const void *units; /* what the gradient of a block is measured in */
    void *scratch; /* room for n_rows, and for three blocks of weights */

    /* The prox: one strength a block. */
    int64_t elementwise;
    int64_t shrink; /* of a convex penalty */
    const void *strength;
    const void *other; /* as in Plan */
} Descent;

#endif
