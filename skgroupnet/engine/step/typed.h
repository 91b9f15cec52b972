/* The step for one type of number, REAL, on one instruction set. */
#if VECTORS
typedef REAL VEC
    __attribute__((vector_size(VECTOR_BYTES), aligned(sizeof(REAL)), may_alias));
#if VECTOR_BYTES >= 32
typedef REAL HALF
    __attribute__((vector_size(VECTOR_BYTES / 2), aligned(sizeof(REAL)), may_alias));
#endif
#endif

/* In the order of their use. */
#include "products.h"

#include "maps.h"

#include "shrinks.h"

#include "updates.h"

#include "sparse.h"

#include "model.h"

#include "descent.h"
