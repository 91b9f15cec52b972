/* Subnormal numbers as zeros, in this thread and for the time of a call.
 *
 * The weights and moments of a unit that the penalty has emptied decay for ever.  An
 * operation on a subnormal number takes some processors a hundred cycles, and no result
 * depends on one. */
#if defined(__SSE2__) || defined(_M_X64)
#include <xmmintrin.h>

typedef unsigned int Mode;

/* Flush to zero what comes out (bit 15), take what goes in as zero (bit 6). */
static Mode flush(void)
{
    Mode before = _mm_getcsr();
    _mm_setcsr(before | 0x8040u);
    return before;
}

static void restore(Mode before)
{
    _mm_setcsr(before);
}
#elif defined(__aarch64__) && defined(__GNUC__)
typedef uint64_t Mode;

/* FZ of FPCR (bit 24) is for what goes in and what comes out. */
static Mode flush(void)
{
    Mode before;
    __asm__ volatile("mrs %0, fpcr" : "=r"(before));
    __asm__ volatile("msr fpcr, %0" : : "r"(before | (Mode)1 << 24));
    return before;
}

static void restore(Mode before)
{
    __asm__ volatile("msr fpcr, %0" : : "r"(before));
}
#else
typedef int Mode;

static Mode flush(void)
{
    return 0;
}

static void restore(Mode before)
{
    (void)before;
}
#endif
