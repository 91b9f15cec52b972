/* Products of small matrices: C = start + A B, in blocks that stay in registers.
 *
 * A block is ROWS x 2 vectors of C.  Where the shape is no multiple of it, the last
 * block overlaps the one before: it computes some numbers twice, and the same.  Every
 * number is summed in the order of the depth, whatever its block.
 */

/* The first `width` columns of R x V vectors of C; A(i, k) is
 * A[i * a_row + k * a_depth]. */
INLINE void NAME(tile)(const int R, const int V, int64_t width, int64_t depth,
                       const REAL *A, int64_t a_row, int64_t a_depth, const REAL *B,
                       int64_t ldb, const REAL *start, REAL *C, int64_t ldc)
{
    VEC sum[ROWS][2];
    for (int r = 0; r < R; r++)
        for (int v = 0; v < V; v++)
            sum[r][v] = start ? *(const VEC *)(start + v * LANES) : (VEC){0};
    for (int64_t k = 0; k < depth; k++) {
        VEC b[2];
        for (int v = 0; v < V; v++)
            b[v] = *(const VEC *)(B + k * ldb + v * LANES);
        for (int r = 0; r < R; r++) {
            REAL a = A[r * a_row + k * a_depth];
            for (int v = 0; v < V; v++)
                sum[r][v] += a * b[v];
        }
    }
    for (int r = 0; r < R; r++) {
        if (width < LANES) {
            VEC row = sum[r][0];
            memcpy(C + r * ldc, &row, width * sizeof(REAL));
        } else {
            for (int v = 0; v < V; v++)
                *(VEC *)(C + r * ldc + v * LANES) = sum[r][v];
        }
    }
}

/* All rows of V vectors of columns. */
INLINE void NAME(panel)(const int V, int64_t rows, int64_t width, int64_t depth,
                        const REAL *A, int64_t a_row, int64_t a_depth, const REAL *B,
                        int64_t ldb, const REAL *start, REAL *C, int64_t ldc)
{
    if (rows < ROWS) {
        for (int64_t i = 0; i < rows; i++)
            NAME(tile)(1, V, width, depth, A + i * a_row, a_row, a_depth, B, ldb, start,
                       C + i * ldc, ldc);
        return;
    }
    for (int64_t i = 0; i < rows; i += ROWS) {
        i = i + ROWS <= rows ? i : rows - ROWS;
        NAME(tile)(ROWS, V, width, depth, A + i * a_row, a_row, a_depth, B, ldb, start,
                   C + i * ldc, ldc);
    }
}

/* C (rows x n) = start (n, or null for zero) + A (rows x depth) B (depth x n).
 *
 * Rows of B, and start, may be read up to a whole vector; rows of C have room for one
 * if ldc has, else exactly n numbers are written. */
static void NAME(product)(int64_t rows, int64_t n, int64_t depth, const REAL *A,
                          int64_t a_row, int64_t a_depth, const REAL *B, int64_t ldb,
                          const REAL *start, REAL *C, int64_t ldc)
{
    if (n <= LANES) {
        NAME(panel)(1, rows, ldc < LANES ? n : LANES, depth, A, a_row, a_depth, B, ldb,
                    start, C, ldc);
        return;
    }
    for (int64_t j = 0; j < n;) {
        if (n >= 2 * LANES && n - j > LANES) {
            j = j + 2 * LANES <= n ? j : n - 2 * LANES;
            NAME(panel)(2, rows, 2 * LANES, depth, A, a_row, a_depth, B + j, ldb,
                        start ? start + j : start, C + j, ldc);
            j += 2 * LANES;
        } else {
            j = j + LANES <= n ? j : n - LANES;
            NAME(panel)(1, rows, LANES, depth, A, a_row, a_depth, B + j, ldb,
                        start ? start + j : start, C + j, ldc);
            j += LANES;
        }
    }
}

/* Sum of x[j] y[j], by vectors, half vectors and so on: every sum in a fixed order. */
INLINE REAL NAME(dot)(const REAL *x, const REAL *y, int64_t n)
{
    VEC even = (VEC){0}, odd = (VEC){0};
    int64_t j = 0;
    for (; j + 2 * LANES <= n; j += 2 * LANES) {
        even += *(const VEC *)(x + j) * *(const VEC *)(y + j);
        odd += *(const VEC *)(x + j + LANES) * *(const VEC *)(y + j + LANES);
    }
    if (j + LANES <= n) {
        even += *(const VEC *)(x + j) * *(const VEC *)(y + j);
        j += LANES;
    }
    even += odd;
#if VECTORS && VECTOR_BYTES >= 32
    HALF half, other;
    memcpy(&half, &even, sizeof(half));
    memcpy(&other, (const char *)&even + sizeof(half), sizeof(half));
    half += other;
    if (j + LANES / 2 <= n) {
        half += *(const HALF *)(x + j) * *(const HALF *)(y + j);
        j += LANES / 2;
    }
#else
    VEC half = even;
#endif
    REAL lane[sizeof(half) / sizeof(REAL)], total = 0;
    memcpy(lane, &half, sizeof(half));
    for (size_t width = sizeof(half) / sizeof(REAL) / 2; width; width /= 2)
        for (size_t i = 0; i < width; i++)
            lane[i] += lane[i + width];
    total = lane[0];
    for (; j < n; j++)
        total += x[j] * y[j];
    return total;
}
