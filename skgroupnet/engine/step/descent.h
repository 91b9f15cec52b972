/* Block coordinate descent on the quadratic model of a linear problem: the inner loop of
 * newton.py.
 *
 * With the working columns x_j, the curvature d_ik of every row and output, and a prox
 * for every block of columns, it minimises over the weights B
 *
 *     sum_k (e_k + d_k v_k / 2)'v_k + R(B),      v_k = sum_j x_j (B - B_0)_jk,
 *
 * where e_k is the gradient of the loss with respect to the raw prediction at B_0.  The
 * columns are centred by their means under the weights d_k, which solves for the
 * intercept as the descent goes. */

/* Numbers of a column that are treated together: they stay in the first cache. */
#define STRETCH 512
/* Proximal steps on a block, from one gradient. */
#define BLOCK_STEPS 20
/* What rounding may leave of a moment whose terms cancel, relative to them. */
#define ROUNDING (sizeof(REAL) == 4 ? (REAL)1e-6 : (REAL)1e-15)
/* Where a column of zeros is penalised its minimum is zero, and any bound is right: one
 * that takes the longest step. */
#define LEAST_BOUND ((REAL)1e-30)

/* Curvature of block g: its second moments for each output, in `moments`, the means of
 * its columns, and the bound on its largest eigenvalue. */
static void NAME(measure)(const Descent *p, int64_t g)
{
    int64_t first = p->block_starts[g], size = p->block_starts[g + 1] - first;
    int64_t n = p->n_rows;
    REAL *scratch = p->scratch, bound = 0;
    for (int64_t k = 0; k < p->n_curvatures; k++) {
        const REAL *d = (const REAL *)p->curvature + k * n;
        REAL *means = (REAL *)p->means + k * p->n_columns + first;
        REAL *moments = (REAL *)p->moments + k * p->n_moments + p->moment_starts[g];
        REAL total = ((const REAL *)p->totals)[k], squares = 0, largest = 0;
        for (int64_t j = 0; j < size; j++) {
            const REAL *restrict x = (const REAL *)p->columns + (first + j) * n;
            REAL sum = 0;
            for (int64_t i = 0; i < n; i++)
                scratch[i] = x[i] * d[i];
            if (p->centred) {
                sum = NAME(dot)(x, d, n);
                means[j] = sum / total;
            }
            for (int64_t l = 0; l <= j; l++) {
                const REAL *other = (const REAL *)p->columns + (first + l) * n;
                REAL moment = NAME(dot)(other, scratch, n), noise = ROUNDING * moment;
                if (p->centred)
                    moment -= means[l] * sum;
                /* What is left of a column that is constant is rounding. */
                if (j == l && moment < noise)
                    moment = noise;
                moments[j * size + l] = moments[l * size + j] = moment;
            }
        }
        for (int64_t j = 0; j < size; j++) {
            REAL row = 0;
            for (int64_t l = 0; l < size; l++) {
                REAL moment = moments[j * size + l];
                row += moment < 0 ? -moment : moment;
            }
            largest = row > largest ? row : largest;
        }
        /* Shares, for their squares: those of small moments underflow. */
        for (int64_t i = 0; i < size * size && largest > 0; i++) {
            REAL share = moments[i] / largest;
            squares += share * share;
        }
        squares = SQRT(squares);
        largest *= squares < 1 ? squares : 1;
        bound = largest > bound ? largest : bound;
    }
    ((REAL *)p->bounds)[g] = bound;
}

/* Prox of the z of a block, in place: weights one by one, or all together. */
INLINE void NAME(shrink_block)(const Descent *p, int64_t g, REAL step, REAL *restrict z,
                               int64_t n)
{
    REAL strength = ((const REAL *)p->strength)[g];
    REAL other = ((const REAL *)p->other)[g];
    if (p->shrink == KEEP)
        return;
    if (p->shrink == RIDGE) {
        for (int64_t i = 0; i < n; i++)
            z[i] /= step * strength + 1;
        return;
    }
    if (p->shrink == SPARSE_SOFT)
        for (int64_t i = 0; i < n; i++)
            z[i] = NAME(soft)(z[i], step * other);
    int64_t together = p->elementwise ? 1 : n;
    for (int64_t start = 0; start < n; start += together) {
        REAL factor = SQRT(NAME(dot)(z + start, z + start, together));
        NAME(factors)(p->shrink, 0, 1, &factor, &step, &strength, &other);
        for (int64_t i = start; i < start + together; i++)
            z[i] *= factor;
    }
}

static int NAME(is_zero)(const Descent *p, int64_t g)
{
    const REAL *weights = p->weights;
    int64_t stop = p->block_starts[g + 1] * p->n_outputs;
    for (int64_t i = p->block_starts[g] * p->n_outputs; i < stop; i++)
        if (weights[i] != 0)
            return 0;
    return 1;
}

/* Minimise over block g; returns the largest gradient that moved it, per root size and
 * in the unit of the block. */
static REAL NAME(descend_block)(const Descent *p, int64_t g)
{
    int64_t first = p->block_starts[g], size = p->block_starts[g + 1] - first;
    int64_t n = p->n_rows, n_outputs = p->n_outputs, n_weights = size * n_outputs;
    REAL *weights = (REAL *)p->weights + first * n_outputs;
    REAL *gradient = p->scratch, *moved = gradient + n_weights, *z = moved + n_weights;
    REAL bound = ((const REAL *)p->bounds)[g], change = 0, before = 0, most = 0;
    if (!(bound > 0))
        bound = LEAST_BOUND;
    for (int64_t j = 0; j < size; j++)
        for (int64_t k = 0; k < n_outputs; k++) {
            gradient[j * n_outputs + k] =
                NAME(dot)((const REAL *)p->columns + (first + j) * n,
                          (const REAL *)p->errors + k * n, n);
            moved[j * n_outputs + k] = 0;
        }
    for (int step = 0; step < BLOCK_STEPS; step++) {
        for (int64_t j = 0; j < size; j++)
            for (int64_t k = 0; k < n_outputs; k++) {
                const REAL *row = (const REAL *)p->moments + p->moment_starts[g] +
                                  j * size + (p->n_curvatures > 1 ? k * p->n_moments : 0);
                REAL slope = gradient[j * n_outputs + k];
                for (int64_t l = 0; l < size; l++)
                    slope += row[l] * moved[l * n_outputs + k];
                int64_t at = j * n_outputs + k;
                z[at] = weights[at] + moved[at] - slope / bound;
            }
        NAME(shrink_block)(p, g, 1 / bound, z, n_weights);
        change = 0;
        for (int64_t i = 0; i < n_weights; i++) {
            REAL by = z[i] - weights[i] - moved[i];
            change += by * by;
            moved[i] = z[i] - weights[i];
        }
        before = step ? before : change;
        if (change <= (REAL)1e-4 * before)
            break;
    }
    most = bound * SQRT(before / (REAL)n_weights) / ((const REAL *)p->units)[g];
    if (before > 0)
        for (int64_t i = 0; i < n_weights; i++)
            weights[i] = z[i];
    return most;
}

/* Let the errors and the raw prediction follow the move of block g. */
static void NAME(follow)(const Descent *p, int64_t g)
{
    int64_t first = p->block_starts[g], size = p->block_starts[g + 1] - first;
    int64_t n = p->n_rows, n_outputs = p->n_outputs;
    const REAL *moved = (const REAL *)p->scratch + size * n_outputs;
    for (int64_t k = 0; k < n_outputs; k++) {
        int64_t at = p->n_curvatures > 1 ? k : 0;
        const REAL *means = (const REAL *)p->means + at * p->n_columns + first;
        REAL shift = 0;
        for (int64_t j = 0; p->centred && j < size; j++)
            shift += moved[j * n_outputs + k] * means[j];
        for (int64_t start = 0; start < n; start += STRETCH) {
            int64_t length = n - start < STRETCH ? n - start : STRETCH;
            REAL by[STRETCH];
            for (int64_t i = 0; i < length; i++)
                by[i] = -shift;
            for (int64_t j = 0; j < size; j++) {
                const REAL *restrict x =
                    (const REAL *)p->columns + (first + j) * n + start;
                REAL factor = moved[j * n_outputs + k];
                for (int64_t i = 0; i < length; i++)
                    by[i] += factor * x[i];
            }
            const REAL *restrict d = (const REAL *)p->curvature + at * n + start;
            REAL *restrict error = (REAL *)p->errors + k * n + start;
            REAL *restrict raw = (REAL *)p->raw + k * n + start;
            for (int64_t i = 0; i < length; i++) {
                error[i] += d[i] * by[i];
                raw[i] += by[i];
            }
        }
    }
}

/* Passes over the blocks until no gradient of a block exceeds the tolerance, first of
 * those that are not zero, then of all; the number of passes, with a minus sign if that
 * is not reached. */
static int64_t NAME(descend)(const Descent *p, int64_t max_passes, double tol)
{
    int whole = 1;
    for (int64_t pass = 1; pass <= max_passes; pass++) {
        REAL most = 0;
        for (int64_t g = 0; g < p->n_blocks; g++) {
            if (pass == 1 && p->fresh)
                NAME(measure)(p, g);
            if (!whole && NAME(is_zero)(p, g))
                continue;
            REAL moved = NAME(descend_block)(p, g);
            if (moved > 0)
                NAME(follow)(p, g);
            most = moved > most ? moved : most;
        }
        if (most <= (REAL)tol && whole)
            return pass;
        whole = most <= (REAL)tol;
    }
    return -max_passes;
}

#undef STRETCH
#undef BLOCK_STEPS
#undef ROUNDING
#undef LEAST_BOUND
