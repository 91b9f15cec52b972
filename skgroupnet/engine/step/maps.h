/* Elementwise maps and pointwise losses; the formulas are those of losses.py. */

/* exp by Cody and Waite: exp(x) = 2^n exp(r), abs(r) <= log(2) / 2, with the polynomial
 * (float) and the rational function (double) of the Cephes library; about one unit in
 * the last place.  Adding and subtracting SHIFTER rounds to an integer. */
INLINE REAL NAME(exp)(REAL x)
{
#if SINGLE
    const float shifter = 12582912.0f, most = 88.722839f, least = -103.97208f;
    float y = x > 89.0f ? 89.0f : x;
    y = y < -104.0f ? -104.0f : y;
    float shifted = y * 1.44269504f + shifter;
    float n = shifted - shifter;
    float r = (y - n * 0.693359375f) + n * 2.12194440e-4f;
    float p = 1.9875691500e-4f;
    p = p * r + 1.3981999507e-3f;
    p = p * r + 8.3334519073e-3f;
    p = p * r + 4.1665795894e-2f;
    p = p * r + 1.6666665459e-1f;
    p = p * r + 5.0000001201e-1f;
    p = p * r * r + r + 1.0f;
    int32_t bits, half;
    memcpy(&bits, &shifted, sizeof(bits));
    bits -= 0x4B400000;
    half = bits >> 1;
    bits = (int32_t)((uint32_t)(bits - half + 127) << 23);
    half = (int32_t)((uint32_t)(half + 127) << 23);
    float first, second;
    memcpy(&first, &half, sizeof(first));
    memcpy(&second, &bits, sizeof(second));
    p = p * first * second;
#else
    const double shifter = 6755399441055744.0, most = 709.782712893384,
                 least = -745.1332191019412;
    double y = x > 710.0 ? 710.0 : x;
    y = y < -746.0 ? -746.0 : y;
    double shifted = y * 1.4426950408889634 + shifter;
    double n = shifted - shifter;
    double r = (y - n * 6.93145751953125e-1) - n * 1.42860682030941723212e-6;
    double s = r * r;
    double odd = 1.26177193074810590878e-4;
    odd = odd * s + 3.02994407707441961300e-2;
    odd = (odd * s + 9.99999999999999999910e-1) * r;
    double even = 3.00198505138664455042e-6;
    even = even * s + 2.52448340349684104192e-3;
    even = even * s + 2.27265548208155028766e-1;
    even = even * s + 2.0;
    double p = 1.0 + 2.0 * (odd / (even - odd));
    int64_t bits, half;
    memcpy(&bits, &shifted, sizeof(bits));
    bits -= 0x4338000000000000;
    half = bits >> 1;
    bits = (int64_t)((uint64_t)(bits - half + 1023) << 52);
    half = (int64_t)((uint64_t)(half + 1023) << 52);
    double first, second;
    memcpy(&first, &half, sizeof(first));
    memcpy(&second, &bits, sizeof(second));
    p = p * first * second;
#endif
    p = x > most ? (REAL)INFINITY : p;
    return x < least ? 0 : p;
}

INLINE REAL NAME(sigmoid)(REAL x)
{
    return 1 / (1 + NAME(exp)(-x));
}

/* tanh by exp, and near zero, where that cancels, by Cephes' approximations. */
INLINE REAL NAME(tanh)(REAL x)
{
    REAL s = x * x;
#if SINGLE
    float p = -5.70498872745e-3f;
    p = p * s + 2.06390887954e-2f;
    p = p * s - 5.37397155531e-2f;
    p = p * s + 1.33314422036e-1f;
    p = p * s - 3.33332819422e-1f;
    float q = 1.0f;
#else
    double p = -9.64399179425052238628e-1;
    p = p * s - 9.92877231001918586564e1;
    p = p * s - 1.61468768441708447952e3;
    double q = s + 1.12811678491632931402e2;
    q = q * s + 2.23548839060100448583e3;
    q = q * s + 4.84406305325125486048e3;
#endif
    REAL near = x + x * s * (p / q);
    REAL far = 1 - 2 / (NAME(exp)(2 * x) + 1);
    return s < (REAL)0.390625 ? near : far;
}

/* values = activation(values), n of them. */
static void NAME(activate)(int64_t activation, REAL *restrict values, int64_t n)
{
    if (activation == RELU) {
        for (int64_t i = 0; i < n; i++)
            values[i] = values[i] < 0 ? 0 : values[i];
    } else if (activation == RELU2) {
        for (int64_t i = 0; i < n; i++)
            values[i] = values[i] < 0 ? 0 : values[i] * values[i];
    } else if (activation == TANH) {
        for (int64_t i = 0; i < n; i++)
            values[i] = NAME(tanh)(values[i]);
    } else if (activation == LOGISTIC) {
        for (int64_t i = 0; i < n; i++)
            values[i] = NAME(sigmoid)(values[i]);
    }
}

/* error *= derivative of the activation, given its values. */
static void NAME(derive)(int64_t activation, REAL *restrict error,
                         const REAL *restrict values, int64_t n)
{
    if (activation == RELU) {
        for (int64_t i = 0; i < n; i++)
            error[i] = values[i] <= 0 ? 0 : error[i];
    } else if (activation == RELU2) {
        for (int64_t i = 0; i < n; i++)
            error[i] *= 2 * SQRT(values[i]);
    } else if (activation == TANH) {
        for (int64_t i = 0; i < n; i++)
            error[i] *= 1 - values[i] * values[i];
    } else if (activation == LOGISTIC) {
        for (int64_t i = 0; i < n; i++)
            error[i] *= values[i] * (1 - values[i]);
    }
}

/* For one row: error = h(raw) - y; returns the loss.  Rows of more than one number have
 * room for whole vectors. */
INLINE double NAME(cross_entropy)(const REAL *restrict raw, REAL *restrict error,
                                  int64_t k, int64_t code)
{
    REAL largest = raw[0], sum = 0;
    for (int64_t j = 1; j < k; j++)
        largest = raw[j] > largest ? raw[j] : largest;
    for (int64_t j = 0; j < k; j += LANES)
        for (int64_t l = j; l < j + LANES; l++)
            error[l] = NAME(exp)(raw[l] - largest);
    for (int64_t j = 0; j < k; j++)
        sum += error[j];
    REAL inverse = 1 / sum;
    for (int64_t j = 0; j < k; j++)
        error[j] *= inverse;
    error[code] -= 1;
    return (double)(largest - raw[code]) + log((double)sum);
}

INLINE double NAME(log_loss)(const REAL *restrict raw, REAL *restrict error, int64_t k,
                             const REAL *restrict y)
{
    double loss = 0;
    for (int64_t j = 0; j < k; j++) {
        REAL size = raw[j] < 0 ? -raw[j] : raw[j];
        REAL small = NAME(exp)(-size);
        error[j] = (raw[j] < 0 ? small : 1) / (1 + small) - y[j];
        loss += (raw[j] < 0 ? 0 : raw[j]) - raw[j] * y[j] + log1p((double)small);
    }
    return loss;
}

INLINE double NAME(squared_error)(const REAL *restrict raw, REAL *restrict error,
                                  int64_t k, const REAL *restrict y)
{
    REAL loss = 0;
    for (int64_t j = 0; j < k; j++) {
        error[j] = raw[j] - y[j];
        loss += error[j] * error[j] / 2;
    }
    return loss;
}

INLINE double NAME(poisson)(const REAL *restrict raw, REAL *restrict error, int64_t k,
                            const REAL *restrict y)
{
    REAL loss = 0;
    for (int64_t j = 0; j < k; j++) {
        REAL rate = NAME(exp)(raw[j]);
        error[j] = rate - y[j];
        loss += rate - y[j] * raw[j];
    }
    return loss;
}
