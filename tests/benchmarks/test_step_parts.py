"""Where the time of a compiled step goes: each part is taken twice, in turn."""

import re
import shutil
import subprocess
import sysconfig
import time
from importlib.machinery import ExtensionFileLoader
from importlib.util import module_from_spec, spec_from_loader
from pathlib import Path

import numpy as np
import pytest

from skgroupnet.engine import (
    Adam,
    Model,
    Problem,
    Settings,
    compiled,
    initial_network,
    train,
)
from skgroupnet.penalties import GroupLasso
from tests.benchmarks.test_speed_fit import synthetic
from tests.benchmarks.timing import one_thread

pytestmark = [pytest.mark.benchmark, pytest.mark.filterwarnings("ignore")]

SOURCES = Path(compiled.__file__).parent / "step"
SETUP = (SOURCES.parents[2] / "setup.py").read_text()
FLAGS = re.findall(r'"(-[^"]+)"', SETUP)
PARTS = ("gather", "forward", "errors", "backward", "update")
SHAPES = [
    ((48, 32, 32, 11), 40_956, 32, 20),
    ((48, 32, 32, 11), 40_956, 200, 20),
    ((784, 300, 100, 10), 10_240, 128, 10),
]


@pytest.fixture(scope="module")
def modules(tmp_path_factory):
    """The extension with one call in a step doubled, by its name; None: as it is."""
    compiler = shutil.which("cc")
    if compiler is None or not SOURCES.is_dir():
        pytest.skip("needs a C compiler and the sources")

    def build(part):
        folder = tmp_path_factory.mktemp("step") / "step"
        shutil.copytree(SOURCES, folder)
        if part is not None:
            model = folder / "model.h"
            call = rf"(\n {{8}}(?:p->losses\[batch\] = )?NAME\({part}\)\(p, .*;)"
            text, n = re.subn(call, r"\1\1", model.read_text())
            assert n == 1
            model.write_text(text)
        target = folder / "_step.so"
        include = f"-I{sysconfig.get_path('include')}"
        output = ["-shared", "-fPIC", "-o", str(target), str(folder / "step.c"), "-lm"]
        subprocess.run([compiler, *FLAGS, include, *output], check=True)
        loader = ExtensionFileLoader("_step", str(target))
        module = module_from_spec(spec_from_loader("_step", loader))
        loader.exec_module(module)
        return module

    return {part: build(part) for part in (None, *PARTS)}


def epoch_times(problem, widths, batch_size):
    """Processor time of some epochs of training on the engine."""
    random_state = np.random.RandomState(0)
    start = initial_network(widths, "relu", "softmax", random_state, np.float32)
    settings = Settings(
        Adam(), batch_size=batch_size, max_iter=5, tol=0.0, n_iter_no_change=np.inf
    )
    times = []

    def watch(epoch):
        times.append(time.process_time())
        return False

    train(problem, [Model(start, 1e-3, 1e-3, random_state)], settings, watch)
    return np.diff(times)


@pytest.mark.parametrize(("widths", "n_rows", "batch_size", "repeats"), SHAPES)
def test_parts(widths, n_rows, batch_size, repeats, modules, monkeypatch):
    problem = Problem(*synthetic(n_rows, widths), "cross_entropy", GroupLasso())
    times = {part: [] for part in modules}
    with one_thread():
        for _ in range(repeats):
            for part, module in modules.items():
                monkeypatch.setattr(compiled, "_step", module)
                times[part].extend(epoch_times(problem, widths, batch_size))
    n_steps = -(-n_rows // batch_size)
    micros = {part: np.median(taken) / n_steps * 1e6 for part, taken in times.items()}
    whole = micros.pop(None)
    print(f"\n\n{'-'.join(map(str, widths))}, batch {batch_size}: microseconds a step")
    for part, twice in micros.items():
        print(f"{part:<12}{twice - whole:>8.2f}")
    rest = whole - sum(twice - whole for twice in micros.values())
    print(f"{'rest':<12}{rest:>8.2f}\n{'all':<12}{whole:>8.2f}")
