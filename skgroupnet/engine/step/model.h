/* Steps of one model: gather a batch, forward, loss, backward, update, prox. */

/* Room for a batch.  A buffer of n numbers a row has rows of NAME(stride)(n). */
typedef struct {
    REAL *input;   /* rows of X */
    REAL **output; /* by layer: its units, the raw prediction last */
    REAL **error;  /* by layer: the gradient with respect to its units' inputs */
    REAL *copy;    /* one matrix, padded or transposed */
    REAL *bias;    /* the biases of one layer, padded */
    REAL *grad;    /* as the weights lie; the plan's own if X is sparse */
    REAL *memory;
} NAME(Room);

/* Rows are whole vectors; those of a single number lie one after the other. */
INLINE int64_t NAME(stride)(int64_t n)
{
    return n == 1 ? 1 : (n + LANES - 1) / LANES * LANES;
}

static void NAME(leave)(NAME(Room) * room)
{
    free(room->memory);
    free(room->output);
    free(room->error);
}

/* Make room; 0 if there is no memory. */
static int NAME(enter)(const Plan *p, NAME(Room) * room)
{
    const int64_t slack = 64 / sizeof(REAL) + LANES, *widths = p->widths;
    int64_t b = p->batch_rows, copy = 0, bias = 0, units = 0;
    for (int64_t l = 0; l < p->n_layers; l++) {
        int64_t in = l || !p->row_starts ? widths[l] : 0, out = widths[l + 1];
        int64_t padded = in * LANES, transposed = l ? out * NAME(stride)(in) : 0;
        copy = copy < padded ? padded : copy;
        copy = copy < transposed ? transposed : copy;
        bias = bias < NAME(stride)(out) ? NAME(stride)(out) : bias;
        units += b * NAME(stride)(out) + slack;
    }
    int64_t input = p->row_starts ? 0 : b * NAME(stride)(widths[0]);
    int64_t grad = p->row_starts ? 0 : p->n_parameters;
    int64_t size = input + 2 * units + copy + bias + grad + 5 * slack;
    room->memory = calloc((size_t)size, sizeof(REAL));
    room->output = malloc((size_t)p->n_layers * sizeof(REAL *));
    room->error = malloc((size_t)p->n_layers * sizeof(REAL *));
    if (!room->memory || !room->output || !room->error) {
        NAME(leave)(room);
        return 0;
    }
    uintptr_t aligned = ((uintptr_t)room->memory + 63) / 64 * 64;
    REAL *next = (REAL *)aligned;
    room->input = next;
    next += input + LANES;
    for (int64_t l = 0; l < p->n_layers; l++) {
        int64_t taken = b * NAME(stride)(widths[l + 1]) + LANES;
        room->output[l] = next;
        room->error[l] = next + taken;
        next += 2 * taken;
    }
    room->copy = next;
    room->bias = room->copy + copy + LANES;
    room->grad = p->row_starts ? p->grad : room->bias + bias + LANES;
    return 1;
}

/* Rows of a dense X. */
static void NAME(gather)(const Plan *p, const int64_t *order, int64_t rows, REAL *input)
{
    int64_t d = p->widths[0], ld = NAME(stride)(d);
    const REAL *X = p->X;
    for (int64_t i = 0; i < rows && !p->row_starts; i++, input += ld) {
        const REAL *row = X + order[i] * p->n_columns;
        if (!p->chosen)
            memcpy(input, row, (size_t)d * sizeof(REAL));
        for (int64_t j = 0; j < d && p->chosen; j++)
            input[j] = row[p->chosen[j]];
    }
}

/* Raw prediction of the rows in the room. */
static void NAME(forward)(const Plan *p, NAME(Room) * room, const int64_t *order,
                          int64_t rows)
{
    const REAL *W = p->weights, *bias = W + p->n_weights, *input = room->input;
    for (int64_t l = 0; l < p->n_layers; l++) {
        int64_t in = p->widths[l], out = p->widths[l + 1];
        int64_t lda = NAME(stride)(in), ldc = NAME(stride)(out);
        REAL *output = room->output[l];
        if (!l && p->row_starts) {
            NAME(combine)(p, order, rows, bias, output, ldc);
        } else if (out == 1) {
            for (int64_t i = 0; i < rows; i++)
                output[i] = *bias + NAME(dot)(input + i * lda, W, in);
        } else {
            const REAL *B = W;
            int64_t ldb = out;
            if (out < LANES) {
                B = room->copy;
                ldb = LANES;
                for (int64_t k = 0; k < in; k++)
                    for (int64_t j = 0; j < LANES; j++)
                        room->copy[k * LANES + j] = j < out ? W[k * out + j] : 0;
            }
            memcpy(room->bias, bias, (size_t)out * sizeof(REAL));
            NAME(product)(rows, out, in, input, lda, 1, B, ldb, room->bias, output,
                          ldc);
        }
        if (l + 1 < p->n_layers)
            NAME(activate)(p->activation, output, rows * ldc);
        W += in * out;
        bias += out;
        input = output;
    }
}

/* Error of the raw prediction; returns the loss of the batch. */
static double NAME(errors)(const Plan *p, NAME(Room) * room, const int64_t *order,
                           const REAL *scale, int64_t rows)
{
    int64_t k = p->widths[p->n_layers], ld = NAME(stride)(k);
    const REAL *raw = room->output[p->n_layers - 1], *y = p->y;
    REAL *error = room->error[p->n_layers - 1], equal = 1 / (REAL)rows;
    double total = 0;
    for (int64_t i = 0; i < rows; i++, raw += ld, error += ld) {
        int64_t row = order[i];
        double loss = p->constant ? p->constant[row] : 0;
        if (p->loss == CROSS_ENTROPY)
            loss += NAME(cross_entropy)(raw, error, k, p->codes[row]);
        else if (p->loss == LOG_LOSS)
            loss += NAME(log_loss)(raw, error, k, y + row * k);
        else if (p->loss == SQUARED_ERROR)
            loss += NAME(squared_error)(raw, error, k, y + row * k);
        else
            loss += NAME(poisson)(raw, error, k, y + row * k);
        REAL weight = scale ? scale[i] : equal;
        for (int64_t j = 0; j < k; j++)
            error[j] *= weight;
        total += weight * loss;
    }
    return total;
}

/* T (columns x rows, rows of ld) = A (rows x columns) transposed, some rows at a time:
 * one at a time, all writes to a matrix as wide as a power of two go to one cache
 * set. */
static void NAME(transpose)(const REAL *restrict A, int64_t rows, int64_t columns,
                            REAL *restrict T, int64_t ld)
{
    int64_t start = 0;
    for (; start + 8 <= rows; start += 8)
        for (int64_t j = 0; j < columns; j++)
            for (int64_t i = start; i < start + 8; i++)
                T[j * ld + i] = A[i * columns + j];
    for (; start < rows; start++)
        for (int64_t j = 0; j < columns; j++)
            T[j * ld + start] = A[start * columns + j];
}

/* Gradient from the error of the raw prediction. */
static void NAME(backward)(const Plan *p, NAME(Room) * room, const int64_t *order,
                           int64_t rows)
{
    const REAL *W = (const REAL *)p->weights + p->n_weights;
    REAL *bias = room->grad + p->n_parameters;
    for (int64_t l = p->n_layers - 1; l >= 0; l--) {
        int64_t in = p->widths[l], out = p->widths[l + 1];
        int64_t lda = NAME(stride)(in), ldb = NAME(stride)(out);
        const REAL *input = l ? room->output[l - 1] : room->input;
        REAL *error = room->error[l];
        W -= in * out;
        bias -= out;
        REAL *grad = room->grad + (W - (const REAL *)p->weights);
        if (!l && p->row_starts)
            NAME(distribute)(p, order, rows, error, ldb, grad);
        else if (out == 1)
            NAME(product)(1, in, rows, error, 1, 1, input, lda, 0, grad, in);
        else
            NAME(product)(in, out, rows, input, 1, lda, error, ldb, 0, grad, out);
        memset(bias, 0, (size_t)out * sizeof(REAL));
        for (int64_t i = 0; i < rows && p->fit_intercept; i++)
            for (int64_t j = 0; j < out; j++)
                bias[j] += error[i * ldb + j];
        if (!l)
            break;
        NAME(transpose)(W, in, out, room->copy, lda);
        NAME(product)(rows, in, out, error, ldb, 1, room->copy, lda, 0,
                      room->error[l - 1], lda);
        NAME(derive)(p->activation, room->error[l - 1], input, rows * lda);
    }
}

/* Batches first to stop; t steps were done before.  0 if there is no memory. */
static int NAME(steps)(const Plan *p, int64_t first, int64_t stop, int64_t t)
{
    NAME(Room) room;
    if (!NAME(enter)(p, &room))
        return 0;
    for (int64_t batch = first; batch < stop; batch++) {
        int64_t start = batch * p->batch_rows, rows = p->n_rows - start;
        rows = rows < p->batch_rows ? rows : p->batch_rows;
        const int64_t *order = p->order + start;
        const REAL *scale = p->scale ? (const REAL *)p->scale + start : 0;
        NAME(gather)(p, order, rows, room.input);
        NAME(forward)(p, &room, order, rows);
        p->losses[batch] = NAME(errors)(p, &room, order, scale, rows);
        NAME(backward)(p, &room, order, rows);
        NAME(update)(p, room.grad, t + batch - first + 1);
        if (p->row_starts)
            NAME(clear)(p, order, rows, room.grad);
    }
    NAME(leave)(&room);
    return 1;
}
