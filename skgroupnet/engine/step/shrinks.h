/* Scalar proximal operators of penalties that are functions of norms; the formulas are
 * those of skgroupnet/penalties, exact for every step.
 *
 * Each returns the s >= 0 that minimises (s - r)^2 / (2 step) + p(s; lam), for a norm
 * r > 0.  Those without a function of math.h choose and do not branch, so that they run
 * as vectors. */

/* Norms are kept within this range before they divide, as in penalties/base.py. */
#define SMALLEST ((REAL)1e-37)
#define LARGEST ((REAL)3e38)

INLINE REAL NAME(positive)(REAL x)
{
    return x < 0 ? 0 : x;
}

/* MCP: firm threshold; a hard one for steps of gamma and longer. */
INLINE REAL NAME(firm)(REAL r, REAL step, REAL lam, REAL gamma)
{
    REAL firm = NAME(positive)(r - step * lam) / (1 - step / gamma);
    firm = firm < r ? firm : r;
    firm = r <= gamma * lam ? firm : r;
    REAL hard = r > lam * SQRT(step * gamma) ? r : 0;
    return step < gamma ? firm : hard;
}

/* SCAD: soft, bent, or none; for long steps soft or none; for longer ones hard. */
INLINE REAL NAME(clipped)(REAL r, REAL step, REAL lam, REAL a)
{
    REAL soft = NAME(positive)(r - step * lam);
    REAL bent = NAME(positive)(r - step * (a * lam - r) / (a - 1 - step));
    bent = bent < r ? bent : r;
    bent = r <= a * lam ? bent : r;
    bent = r <= (1 + step) * lam ? soft : bent;
    REAL either = r <= lam * ((a + 1 + step) / 2) ? soft : r;
    REAL hard = r > lam * SQRT(step * (a + 1)) ? r : 0;
    either = step <= a + 1 ? either : hard;
    return step < a - 1 ? bent : either;
}

/* Capped l1. */
INLINE REAL NAME(capped)(REAL r, REAL step, REAL lam, REAL theta)
{
    REAL tau = step * lam, soft = NAME(positive)(r - tau);
    soft = r <= theta + tau / 2 ? soft : r;
    REAL hard = r > SQRT(2 * theta * tau) ? r : 0;
    return tau <= 2 * theta ? soft : hard;
}

/* l_0. */
INLINE REAL NAME(hard)(REAL r, REAL step, REAL lam)
{
    return r > SQRT(2 * step * lam) ? r : 0;
}

/* Log penalty: the larger root of a quadratic, where that is lower than zero. */
INLINE REAL NAME(logarithm)(REAL r, REAL step, REAL lam, REAL eps)
{
    REAL tau = step * lam, reach = r + eps, rest = reach * reach - 4 * tau;
    REAL root = r - 2 * tau / (reach + SQRT(NAME(positive)(rest)));
    if (tau <= eps * eps)
        return r > tau / eps ? NAME(positive)(root) : 0;
    if (!(rest >= 0 && root > 0))
        return 0;
    /* Both sides over the root, which may be huge. */
    REAL ratio = root / eps;
    REAL paid = tau * MATH(log1p)(ratio < LARGEST ? ratio : LARGEST) / root;
    return r - root / 2 > paid ? root : 0;
}

/* Transformed l1: the largest root of a cubic, in a form that does not cancel. */
INLINE REAL NAME(transformed)(REAL r, REAL step, REAL lam, REAL a)
{
    REAL tau = step * lam, reach = a + r, threshold = tau * ((a + 1) / a);
    if (tau > a * a / (2 * (a + 1)))
        threshold = SQRT(2 * (a + 1) * tau) - a / 2;
    if (!(r > threshold))
        return 0;
    REAL cube = (REAL)6.75 * (tau / reach) * (a / reach) * ((a + 1) / reach);
    REAL sine = MATH(sin)(MATH(asin)(SQRT(cube < 1 ? cube : 1)) / 3);
    return NAME(positive)(r - reach * ((REAL)(4.0 / 3) * sine * sine));
}

/* l_{1/2}: zero, or s = r u^2 with the largest root u of u^3 - u + q = 0.  The jump is
 * at u^2 = 2/3, where that polynomial has the slope 1: Newton's method is safe. */
INLINE REAL NAME(half_power)(REAL r, REAL step, REAL lam)
{
    REAL q = step * lam / r / (2 * SQRT(r)), u = 1 - q / 2 - (REAL)0.375 * q * q;
    for (int i = 0; i < 4; i++)
        u -= (u * u * u - u + q) / (3 * u * u - 1);
    return q < (REAL)0.27216552697590868 ? r * u * u : 0;
}

/* l_{2/3}: zero, or s = r u^3 with the largest root u of u^4 - u + q = 0; the jump is at
 * u^3 = 1/2, with the slope 1 as well. */
INLINE REAL NAME(two_thirds)(REAL r, REAL step, REAL lam)
{
    REAL q = (REAL)(2.0 / 3) * step * lam / r / MATH(cbrt)(r);
    REAL u = 1 - q / 3 - (REAL)(2.0 / 9) * q * q;
    for (int i = 0; i < 5; i++)
        u -= (u * u * u * u - u + q) / (4 * u * u * u - 1);
    return q < (REAL)0.39685026299204987 ? r * u * u * u : 0;
}

/* Of n groups, the prox of each being one factor for all its weights: norms in, factors
 * out.  The others are the strengths of the ridge part of ELASTIC. */
static void NAME(factors)(int64_t shrink, REAL shape, int64_t n, REAL *restrict norm,
                          const REAL *restrict step, const REAL *restrict strength,
                          const REAL *restrict other)
{
    for (int64_t i = 0; i < n; i++) {
        norm[i] = norm[i] < SMALLEST ? SMALLEST : norm[i];
        norm[i] = norm[i] > LARGEST ? LARGEST : norm[i];
    }
#define EACH(shrunk)                \
    for (int64_t i = 0; i < n; i++) \
        norm[i] = (shrunk) / norm[i];
    switch (shrink) {
    case ELASTIC:
        EACH(NAME(positive)(norm[i] - step[i] * strength[i]) / (step[i] * other[i] + 1))
        break;
    case FIRM:
        EACH(NAME(firm)(norm[i], step[i], strength[i], shape))
        break;
    case CLIPPED:
        EACH(NAME(clipped)(norm[i], step[i], strength[i], shape))
        break;
    case CAPPED:
        EACH(NAME(capped)(norm[i], step[i], strength[i], shape))
        break;
    case HARD:
        EACH(NAME(hard)(norm[i], step[i], strength[i]))
        break;
    case LOGARITHM:
        EACH(NAME(logarithm)(norm[i], step[i], strength[i], shape))
        break;
    case TRANSFORMED:
        EACH(NAME(transformed)(norm[i], step[i], strength[i], shape))
        break;
    case HALF_POWER:
        EACH(NAME(half_power)(norm[i], step[i], strength[i]))
        break;
    case TWO_THIRDS:
        EACH(NAME(two_thirds)(norm[i], step[i], strength[i]))
        break;
    default:
        EACH(NAME(positive)(norm[i] - step[i] * strength[i]))
    }
#undef EACH
}

#undef SMALLEST
#undef LARGEST
