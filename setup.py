"""The compiled steps; everything else is in pyproject.toml."""

import hashlib
from pathlib import Path

from setuptools import Extension, setup

STEP = Path("skgroupnet", "engine", "step")
SOURCES = sorted(path.as_posix() for path in STEP.glob("*.[ch]"))
# The module says from which sources it was compiled: engine/compiled.py compares.
digest = hashlib.sha256(b"".join(Path(path).read_bytes() for path in SOURCES))

# Where it cannot be built, everything runs without it.
# No -ffast-math: it flushes subnormal numbers to zero in the whole process, and not
# for the time of a step (flush.h).
setup(
    ext_modules=[
        Extension(
            "skgroupnet.engine._step",
            sources=[path for path in SOURCES if path.endswith(".c")],
            depends=[path for path in SOURCES if path.endswith(".h")],
            define_macros=[("DIGEST", digest.hexdigest())],
            py_limited_api=True,
            extra_compile_args=[
                "-std=c11",
                "-O3",
                "-ffp-contract=fast",
                "-fno-math-errno",
                "-fno-trapping-math",
                "-fno-signed-zeros",
            ],
            optional=True,
        )
    ]
)
