/* Steps of mini-batch proximal training on the CPU, for several models at once.
 *
 * The same step as stack.py, updates.py and shrinkage.py take in torch, on the same
 * buffers.  It is compiled for float and double, and for several instruction sets where
 * the compiler can; the best one of the machine is chosen when the module is imported.
 */
#define Py_LIMITED_API 0x030B0000
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "flush.h"
#include "plan.h"

#if UINTPTR_MAX != UINT64_MAX
#error "A plan has fields of eight bytes, and this machine has shorter pointers."
#endif

/* Elsewhere than in GCC and clang, or with -DVECTORS=0, a vector is one number. */
#if !defined(VECTORS) && defined(__GNUC__)
#define VECTORS 1
#endif

#if defined(__GNUC__)
#define INLINE static inline __attribute__((always_inline))
#else
#define INLINE static inline
#endif
#if defined(_MSC_VER) && !defined(__clang__)
#define restrict __restrict
#endif

/* Not with MinGW: GCC does not align the stack for wide vectors on Windows. */
#if VECTORS && defined(__x86_64__) && !defined(__MINGW32__)
#define VERSIONS 1
#else
#define VERSIONS 0
#endif

/* Of the sources, from setup.py. */
#ifndef DIGEST
#define DIGEST
#endif
#define QUOTE(text) #text
#define TEXT(macro) QUOTE(macro)

#define PASTE(a, b, c) a##b##c
#define JOIN(a, b, c) PASTE(a, b, c)

/* What every machine has that the compiler compiles for: SSE2, or NEON. */
#define VERSION baseline
#define VECTOR_BYTES 16
#define ROWS 4
#include "instance.h"

#if VERSIONS
#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("avx2,fma")
#endif
#define VERSION avx2
#define VECTOR_BYTES 32
#define ROWS 4
#include "instance.h"
#if defined(__clang__)
#pragma clang attribute pop
#pragma clang attribute push( \
    __attribute__((target("avx2,fma,avx512f,avx512dq,avx512vl"))), apply_to = function)
#else
#pragma GCC target("avx512f,avx512dq,avx512vl")
#endif
#define VERSION avx512
#define VECTOR_BYTES 64
#define ROWS 8
#include "instance.h"
#if defined(__clang__)
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif
#endif

typedef int (*Steps)(const Plan *, int64_t, int64_t, int64_t);
typedef int64_t (*Descend)(const Descent *, int64_t, double);

typedef struct {
    const char *name;
    Steps single, full;
    Descend descend_single, descend_full;
} Version;

#define FUNCTIONS(name) \
    steps_float_##name, steps_double_##name, descend_float_##name, descend_double_##name

static const Version versions[] = {
    {"baseline", FUNCTIONS(baseline)},
#if VERSIONS
    {"AVX2", FUNCTIONS(avx2)},
    {"AVX-512", FUNCTIONS(avx512)},
#endif
};

/* Number of versions that this machine can run. */
static int runnable(void)
{
#if VERSIONS
    __builtin_cpu_init();
    if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma"))
        return 1;
    if (!__builtin_cpu_supports("avx512f") || !__builtin_cpu_supports("avx512dq") ||
        !__builtin_cpu_supports("avx512vl"))
        return 2;
    return 3;
#else
    return 1;
#endif
}

PyDoc_STRVAR(steps_doc,
             "steps(plans, first, stop, t, version)\n--\n\n"
             "Take the steps of batches first to stop of an epoch, plan by plan.\n\n"
             "plans is an array of PLAN, t the number of steps done before, version\n"
             "an index of instruction_sets. Other threads run in the meantime.");

static PyObject *steps(PyObject *module, PyObject *args)
{
    Py_buffer buffer;
    long long first, stop, t;
    int version, done = 1;
    (void)module;
    if (!PyArg_ParseTuple(args, "y*LLLi", &buffer, &first, &stop, &t, &version))
        return NULL;
    if (buffer.len % (Py_ssize_t)sizeof(Plan) || version < 0 || version >= runnable()) {
        PyErr_Format(PyExc_ValueError,
                     "plans of %zd bytes each and a version below %d are expected",
                     (Py_ssize_t)sizeof(Plan), runnable());
        PyBuffer_Release(&buffer);
        return NULL;
    }
    const Plan *plans = buffer.buf;
    Py_ssize_t n_plans = buffer.len / (Py_ssize_t)sizeof(Plan);
    Py_BEGIN_ALLOW_THREADS;
    Mode before = flush();
    for (Py_ssize_t i = 0; i < n_plans && done; i++) {
        const Version *chosen = versions + version;
        Steps run = plans[i].itemsize == 4 ? chosen->single : chosen->full;
        done = run(plans + i, first, stop, t);
    }
    restore(before);
    Py_END_ALLOW_THREADS;
    PyBuffer_Release(&buffer);
    if (!done)
        return PyErr_NoMemory();
    Py_RETURN_NONE;
}

PyDoc_STRVAR(descend_doc,
             "descend(plan, max_passes, tol, version)\n--\n\n"
             "Minimise the quadratic model of a linear problem block by block.\n\n"
             "plan is one DESCENT. Returns the number of passes, with a minus sign if\n"
             "the last one moved a block by a gradient above tol.");

static PyObject *descend(PyObject *module, PyObject *args)
{
    Py_buffer buffer;
    long long max_passes;
    double tol;
    int version;
    (void)module;
    if (!PyArg_ParseTuple(args, "y*Ldi", &buffer, &max_passes, &tol, &version))
        return NULL;
    if (buffer.len != (Py_ssize_t)sizeof(Descent) || version < 0 ||
        version >= runnable()) {
        PyErr_Format(PyExc_ValueError,
                     "a plan of %zd bytes and a version below %d are expected",
                     (Py_ssize_t)sizeof(Descent), runnable());
        PyBuffer_Release(&buffer);
        return NULL;
    }
    const Descent *plan = buffer.buf;
    const Version *chosen = versions + version;
    Descend run = plan->itemsize == 4 ? chosen->descend_single : chosen->descend_full;
    int64_t passes;
    Py_BEGIN_ALLOW_THREADS;
    Mode before = flush();
    passes = run(plan, max_passes, tol);
    restore(before);
    Py_END_ALLOW_THREADS;
    PyBuffer_Release(&buffer);
    return PyLong_FromLongLong(passes);
}

static PyMethodDef methods[] = {
    {"steps", steps, METH_VARARGS, steps_doc},
    {"descend", descend, METH_VARARGS, descend_doc},
    {NULL, NULL, 0, NULL},
};

static int fill(PyObject *module)
{
    PyObject *names = PyTuple_New(runnable());
    if (!names)
        return -1;
    for (int i = 0; i < runnable(); i++) {
        PyObject *name = PyUnicode_FromString(versions[i].name);
        if (!name || PyTuple_SetItem(names, i, name) < 0) {
            Py_DECREF(names);
            return -1;
        }
    }
    int failed = PyModule_AddObjectRef(module, "instruction_sets", names);
    Py_DECREF(names);
    if (failed < 0)
        return -1;
    if (PyModule_AddStringConstant(module, "digest", TEXT(DIGEST)) < 0)
        return -1;
    if (PyModule_AddIntConstant(module, "descent_bytes", sizeof(Descent)) < 0)
        return -1;
    return PyModule_AddIntConstant(module, "plan_bytes", sizeof(Plan));
}

static PyModuleDef_Slot slots[] = {
    {Py_mod_exec, fill},
    {0, NULL},
};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT, "_step", "The compiled step.", 0, methods, slots, NULL, NULL,
    NULL,
};

PyMODINIT_FUNC PyInit__step(void)
{
    return PyModuleDef_Init(&definition);
}
