/* Updates and their prox, group by group; the formulas are those of updates.py and of
 * skgroupnet/penalties. */

/* The numbers of a step that all groups share. */
typedef struct {
    REAL rate;       /* learning rate */
    REAL constant;   /* sgd: the step handed over */
    REAL fresh;      /* weight of the new square in the second moment */
    REAL keep;       /* weight of the old moment */
    REAL epsilon;    /* in the denominator */
    REAL correction; /* of the root of the second moment */
    REAL move;       /* factor on the direction, besides the step */
} NAME(Numbers);

static NAME(Numbers) NAME(numbers)(const Plan *p, int64_t t)
{
    NAME(Numbers) a = {.rate = (REAL)p->rate, .correction = 1, .move = 1};
    a.epsilon = (REAL)p->epsilon;
    a.fresh = (REAL)(1 - p->beta_2);
    a.keep = (REAL)p->beta_2;
    if (p->update == SGD) {
        double mu = p->beta_1;
        double steps = (double)(t + (p->nesterov && mu != 0));
        double travelled = mu == 1 ? steps : (1 - pow(mu, steps)) / (1 - mu);
        a.constant = (REAL)p->rate * (REAL)(mu == 0 ? 1 : travelled);
    }
    if (p->update == ADAM || p->update == ADAMAX)
        a.move = (REAL)(1 / (1 - pow(p->beta_1, (double)t)));
    if (p->update == ADAM)
        a.correction = (REAL)(1 / sqrt(1 - pow(p->beta_2, (double)t)));
    return a;
}

/* Note the gradient of parameters start to stop in the direction, or with Nesterov's
 * momentum the other way round. */
INLINE void NAME(note)(const Plan *p, REAL *restrict grad, int64_t start, int64_t stop)
{
    REAL *restrict direction = p->direction;
    if (!direction)
        return;
    int sgd = p->update == SGD;
    REAL keep = (REAL)p->beta_1, fresh = sgd ? 1 : (REAL)(1 - p->beta_1);
    for (int64_t i = start; i < stop; i++)
        direction[i] = keep * direction[i] + fresh * grad[i];
    for (int64_t i = start; i < stop && sgd && p->nesterov; i++)
        grad[i] += keep * direction[i];
}

/* Step of a group from the size of its gradient: mean square, or largest entry. */
INLINE REAL NAME(step_of)(const int update, REAL size, REAL *moment,
                          const NAME(Numbers) * a)
{
    if (update == SGD)
        return a->constant;
    if (update == ADAMAX) {
        REAL old = a->keep * *moment, now = size + a->epsilon;
        *moment = old > now ? old : now;
        return a->rate / *moment;
    }
    *moment = a->keep * *moment + a->fresh * size;
    return a->rate / (a->epsilon + a->correction * SQRT(*moment));
}

INLINE REAL NAME(soft)(REAL w, REAL threshold)
{
    REAL size = w < 0 ? -w : w, rest = size - threshold;
    rest = rest < 0 ? 0 : rest;
    return w < 0 ? -rest : rest;
}

INLINE REAL NAME(largest)(const REAL *x, int64_t n)
{
    REAL largest = 0;
    for (int64_t j = 0; j < n; j++) {
        REAL size = x[j] < 0 ? -x[j] : x[j];
        largest = size <= largest ? largest : size;
    }
    return largest;
}

/* Size of the gradient of group number i: its mean square, or its largest entry. */
INLINE REAL NAME(size_of)(const int update, const Plan *p, int64_t i, const REAL *grad)
{
    REAL size = 0;
    for (int64_t s = p->group_spans[i]; s < p->group_spans[i + 1]; s++) {
        const REAL *x = grad + p->span_starts[s];
        int64_t n = p->span_lengths[s];
        if (update == ADAMAX) {
            REAL largest = NAME(largest)(x, n);
            size = largest <= size ? size : largest;
        } else {
            size += NAME(dot)(x, x, n);
        }
    }
    const REAL *inverse = p->inverse_sizes;
    return update == ADAMAX ? size : size * inverse[p->group_ids[i]];
}

/* Move group number i, shrink its weights one by one where that is asked for, and
 * return the square of its norm. */
INLINE REAL NAME(move)(const Plan *p, int64_t i, const REAL *direction, REAL by,
                       REAL threshold)
{
    REAL squares = 0;
    for (int64_t s = p->group_spans[i]; s < p->group_spans[i + 1]; s++) {
        REAL *restrict w = (REAL *)p->weights + p->span_starts[s];
        const REAL *restrict d = direction + p->span_starts[s];
        int64_t n = p->span_lengths[s];
        for (int64_t j = 0; j < n; j++)
            w[j] -= by * d[j];
        if (p->shrink == SPARSE_SOFT)
            for (int64_t j = 0; j < n; j++)
                w[j] = NAME(soft)(w[j], threshold);
        squares += NAME(dot)(w, w, n);
    }
    return squares;
}

/* Update and prox of groups number first to first + n, n <= TOGETHER.  What takes a
 * root or a quotient runs over the groups, not within one. */
#define TOGETHER 32
INLINE void NAME(groups)(const int update, const Plan *p, const NAME(Numbers) * a,
                         const REAL *grad, const REAL *direction, int64_t first,
                         int64_t n)
{
    const int64_t *ids = p->group_ids + first;
    const REAL *strengths = p->strength, *others = p->other;
    REAL *moments = p->moment, *steps = p->step;
    REAL size[TOGETHER] = {0}, moment[TOGETHER] = {0}, step[TOGETHER];
    REAL strength[TOGETHER] = {0}, other[TOGETHER] = {0};
    for (int64_t i = 0; i < n; i++) {
        strength[i] = strengths ? strengths[ids[i]] : 0;
        other[i] = others ? others[ids[i]] : 0;
        if (update != SGD) {
            size[i] = NAME(size_of)(update, p, first + i, grad);
            moment[i] = moments[ids[i]];
        }
    }
    for (int64_t i = 0; i < TOGETHER; i++)
        step[i] = NAME(step_of)(update, size[i], moment + i, a);
    for (int64_t i = 0; i < n; i++) {
        steps[ids[i]] = step[i];
        if (update != SGD)
            moments[ids[i]] = moment[i];
        REAL by = (update == SGD ? a->rate : step[i]) * a->move;
        size[i] = NAME(move)(p, first + i, direction, by, step[i] * other[i]);
    }
    if (p->shrink == KEEP)
        return;
    for (int64_t i = 0; i < TOGETHER; i++)
        size[i] = SQRT(size[i]);
    NAME(factors)(p->shrink, (REAL)p->shape, n, size, step, strength, other);
    for (int64_t i = 0; i < n; i++) {
        if (size[i] == 1)
            continue;
        int64_t last = p->group_spans[first + i + 1];
        for (int64_t s = p->group_spans[first + i]; s < last; s++) {
            REAL *w = (REAL *)p->weights + p->span_starts[s];
            for (int64_t j = 0; j < p->span_lengths[s]; j++)
                w[j] *= size[i];
        }
    }
}

/* Prox of n weights that are groups of one, the first being group g. */
static void NAME(shrink)(const Plan *p, int64_t g, int64_t n,
                         const REAL *restrict steps, REAL *restrict weights)
{
    const REAL *strengths = (const REAL *)p->strength + g;
    const REAL *others = p->other ? (const REAL *)p->other + g : 0;
    for (int64_t start = 0; start < n; start += TOGETHER) {
        int64_t m = n - start < TOGETHER ? n - start : TOGETHER;
        REAL factor[TOGETHER];
        for (int64_t i = 0; i < m; i++) {
            REAL w = weights[start + i];
            factor[i] = w < 0 ? -w : w;
        }
        NAME(factors)(p->shrink, (REAL)p->shape, m, factor, steps + start,
                      strengths + start, others ? others + start : 0);
        for (int64_t i = 0; i < m; i++)
            weights[start + i] *= factor[i];
    }
}

/* Update and prox of n weights that are groups of one, the first being group g. */
INLINE void NAME(singles)(const int update, const Plan *p, const NAME(Numbers) * a,
                          const REAL *restrict grad, const REAL *restrict direction,
                          REAL *restrict weights, int64_t g, int64_t n)
{
    REAL *restrict moments = update == SGD ? 0 : (REAL *)p->moment + g;
    REAL *restrict steps = (REAL *)p->step + g;
    for (int64_t i = 0; i < n; i++) {
        REAL size = grad[i];
        size = update == ADAMAX ? (size < 0 ? -size : size) : size * size;
        steps[i] = NAME(step_of)(update, size, update == SGD ? 0 : moments + i, a);
        weights[i] -= (update == SGD ? a->rate : steps[i]) * a->move * direction[i];
    }
    if (p->shrink == KEEP)
        return;
    const REAL *restrict strengths = (const REAL *)p->strength + g;
    if (p->shrink == SPARSE_SOFT) {
        const REAL *restrict lassos = (const REAL *)p->other + g;
        for (int64_t i = 0; i < n; i++)
            weights[i] = NAME(soft)(weights[i], steps[i] * lassos[i]);
    }
    if (p->shrink == SOFT || p->shrink == SPARSE_SOFT) {
        for (int64_t i = 0; i < n; i++)
            weights[i] = NAME(soft)(weights[i], steps[i] * strengths[i]);
    } else if (p->shrink == RIDGE) {
        for (int64_t i = 0; i < n; i++)
            weights[i] /= steps[i] * strengths[i] + 1;
    } else if (p->shrink == MASK) {
        const REAL *restrict free = (const REAL *)p->free + g;
        for (int64_t i = 0; i < n; i++)
            weights[i] *= free[i];
    } else {
        NAME(shrink)(p, g, n, steps, weights);
    }
}

#define CACHED 4096
/* Note what is not noted yet up to `stop`, and as much more as stays in the cache;
 * returns where that ends. */
INLINE int64_t NAME(note_to)(const Plan *p, REAL *grad, int64_t noted, int64_t stop)
{
    if (stop <= noted)
        return noted;
    int64_t most = noted + CACHED;
    most = most < p->n_parameters ? most : p->n_parameters;
    stop = stop < most ? most : stop;
    NAME(note)(p, grad, noted, stop);
    return stop;
}

/* All groups.  A gradient is noted shortly before its group is moved, while both are in
 * the cache: of a wide layer, memory is what a step waits for. */
INLINE void NAME(all)(const int update, const Plan *p, const NAME(Numbers) * a,
                      REAL *grad)
{
    const REAL *direction = p->direction;
    if (!direction || (update == SGD && p->nesterov))
        direction = grad;
    int64_t noted = 0;
    for (int64_t i = 0; i < p->n_groups; i += TOGETHER) {
        int64_t n = p->n_groups - i, stop = noted;
        n = n < TOGETHER ? n : TOGETHER;
        for (int64_t s = p->group_spans[i]; s < p->group_spans[i + n]; s++) {
            int64_t end = p->span_starts[s] + p->span_lengths[s];
            stop = stop < end ? end : stop;
        }
        noted = NAME(note_to)(p, grad, noted, stop);
        NAME(groups)(update, p, a, grad, direction, i, n);
    }
    for (int64_t i = 0; i < p->n_runs; i++) {
        int64_t start = p->run_starts[i], end = start + p->run_lengths[i];
        for (int64_t at = start, stop; at < end; at = stop) {
            stop = end - at < CACHED ? end : at + CACHED;
            noted = NAME(note_to)(p, grad, noted, stop);
            NAME(singles)(update, p, a, grad + at, direction + at,
                          (REAL *)p->weights + at, p->run_groups[i] + at - start,
                          stop - at);
        }
    }
}

/* Move the weights by step number t, and take the prox in the metric of that step. */
static void NAME(update)(const Plan *p, REAL *grad, int64_t t)
{
    const NAME(Numbers) a = NAME(numbers)(p, t);
    if (p->update == SGD)
        NAME(all)(SGD, p, &a, grad);
    else if (p->update == RMSPROP)
        NAME(all)(RMSPROP, p, &a, grad);
    else if (p->update == ADAM)
        NAME(all)(ADAM, p, &a, grad);
    else
        NAME(all)(ADAMAX, p, &a, grad);
}

#undef CACHED
#undef TOGETHER
