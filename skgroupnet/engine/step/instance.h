/* The step for float and for double on one instruction set, whose name, vector and
 * block step.c defines: VERSION, VECTOR_BYTES and ROWS. */
#if VECTORS
#define LANES ((int64_t)(VECTOR_BYTES / sizeof(REAL)))
#define VEC NAME(vector)
#define HALF NAME(half)
#else
#define LANES 1
#define VEC REAL
#endif

#define REAL float
#define SINGLE 1
#define SQRT sqrtf
#define MATH(name) name##f
#define NAME(name) JOIN(name, _float_, VERSION)
#include "typed.h"
#undef REAL
#undef SINGLE
#undef SQRT
#undef MATH
#undef NAME

#define REAL double
#define SINGLE 0
#define SQRT sqrt
#define MATH(name) name
#define NAME(name) JOIN(name, _double_, VERSION)
#include "typed.h"
#undef REAL
#undef SINGLE
#undef SQRT
#undef MATH
#undef NAME

#undef LANES
#undef VEC
#undef HALF
#undef VERSION
#undef VECTOR_BYTES
#undef ROWS
