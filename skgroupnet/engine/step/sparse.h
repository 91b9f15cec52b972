/* The first layer on the entries of CSR rows: what is zero in X costs nothing. */

/* y = y + a x, n numbers. */
INLINE void NAME(add)(int64_t n, REAL a, const REAL *restrict x, REAL *restrict y)
{
    int64_t j = 0;
    for (; j + LANES <= n; j += LANES)
        *(VEC *)(y + j) += a * *(const VEC *)(x + j);
    for (; j < n; j++)
        y[j] += a * x[j];
}

/* C (rows x units, rows of ld) = bias + X W. */
static void NAME(combine)(const Plan *p, const int64_t *order, int64_t rows,
                          const REAL *bias, REAL *C, int64_t ld)
{
    const REAL *X = p->X, *W = p->weights;
    int64_t units = p->widths[1];
    for (int64_t i = 0; i < rows; i++, C += ld) {
        memcpy(C, bias, (size_t)units * sizeof(REAL));
        int64_t stop = p->row_starts[order[i] + 1];
        for (int64_t e = p->row_starts[order[i]]; e < stop; e++)
            NAME(add)(units, X[e], W + p->columns[e] * units, C);
    }
}

/* Add X' E to the gradient, E (rows x units, rows of ld). */
static void NAME(distribute)(const Plan *p, const int64_t *order, int64_t rows,
                             const REAL *E, int64_t ld, REAL *grad)
{
    const REAL *X = p->X;
    int64_t units = p->widths[1];
    for (int64_t i = 0; i < rows; i++, E += ld) {
        int64_t stop = p->row_starts[order[i] + 1];
        for (int64_t e = p->row_starts[order[i]]; e < stop; e++)
            NAME(add)(units, X[e], E, grad + p->columns[e] * units);
    }
}

/* Set the gradient back to zero: where there are entries, if it is so elsewhere. */
static void NAME(clear)(const Plan *p, const int64_t *order, int64_t rows, REAL *grad)
{
    int64_t units = p->widths[1];
    size_t size = (size_t)units * sizeof(REAL);
    if (p->update == SGD && p->nesterov) {
        memset(grad, 0, (size_t)p->widths[0] * size);
        return;
    }
    for (int64_t i = 0; i < rows; i++) {
        int64_t stop = p->row_starts[order[i] + 1];
        for (int64_t e = p->row_starts[order[i]]; e < stop; e++)
            memset(grad + p->columns[e] * units, 0, size);
    }
}
