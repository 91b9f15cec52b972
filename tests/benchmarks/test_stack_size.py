"""What a step of a model costs in a stack of 1 to 256, compiled, in torch, on a GPU.

The table is drawn, too, as ``stack_size.png`` in the folder that SKGROUPNET_PICTURES
names; without it, where it is thrown away::

    export SKGROUPNET_PICTURES=doc/images
    python -m pytest tests/benchmarks/test_stack_size.py -s
"""

import os
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator

from skgroupnet import config_context
from skgroupnet.engine import (
    Adam,
    Job,
    Model,
    Problem,
    Settings,
    initial_network,
)
from skgroupnet.engine.stochastic import train_together
from skgroupnet.penalties import GroupLasso
from skgroupnet.plotting.style import BLUE, GREEN, VERMILION, despine
from tests.benchmarks.test_speed_fit import NEVER, synthetic
from tests.benchmarks.timing import at_most, epochs

pytestmark = [pytest.mark.benchmark, pytest.mark.filterwarnings("ignore")]

SIZES = (1, 4, 16, 64, 256)
REPEATS = 3
# Steps of all models of a stack that are timed, at least.
N_STEPS = 8_000


def train(problem, widths, batch_size, n_models, step, n_threads, n_epochs):
    """Train a stack from new networks."""
    jobs = [
        Job(
            problem,
            Model(
                initial_network(
                    widths, "relu", "softmax", np.random.RandomState(seed), np.float32
                ),
                1e-3,
                1e-3,
                np.random.RandomState(seed),
            ),
            Settings(Adam(), batch_size=batch_size, max_iter=n_epochs, **NEVER),
        )
        for seed in range(n_models)
    ]
    with config_context(step=step):
        train_together(jobs, n_threads=n_threads)


def costs(widths, n_rows, batch_size, ways):
    """Microseconds of a step of a model by way (device, step, threads) and size."""
    X, y = synthetic(n_rows, widths)
    penalty = GroupLasso()
    n_steps = -(-n_rows // batch_size)
    fits = {}
    for device, step, n_threads in ways:
        problem = Problem(X, y, "cross_entropy", penalty, device=device)
        for size in SIZES:
            fit = partial(train, problem, widths, batch_size, size, step, n_threads)
            n_epochs = -(-N_STEPS // (n_steps * size))
            fits[(device, step, n_threads), size] = fit, n_epochs
    with at_most(2):
        times = epochs(fits, REPEATS)
    return {
        way: [1e6 * times[way, size].wall / (n_steps * size) for size in SIZES]
        for way in ways
    }


def named(way):
    device, step, n_threads = way
    if device != "cpu":
        return "torch, GPU"
    return f"{step}, {n_threads} thread{'s' * (n_threads > 1)}"


def print_table(title, table):
    print(f"\n\n{title}: us a step of a model in a stack of")
    print(f"{'':<22}" + "".join(f"{size:>9}" for size in SIZES))
    for way, micros in table.items():
        print(f"{named(way):<22}" + "".join(f"{value:>9.2f}" for value in micros))


def draw(title, table, path):
    """Draw the table."""
    figure = Figure(figsize=(6.4, 3.8), layout="constrained")
    ax = figure.subplots()
    colours = {"compiled": BLUE, "torch": VERMILION}
    for way, micros in table.items():
        device, step, n_threads = way
        ax.plot(
            SIZES,
            micros,
            "-" if n_threads == 1 else "--",
            color=colours[step] if device == "cpu" else GREEN,
            marker="o",
            markersize=4,
            label=named(way),
        )
    ax.set(
        xscale="log",
        yscale="log",
        xlabel="models in the stack",
        ylabel="microseconds a step of a model",
        title=title,
    )
    ax.set_xticks(SIZES, [str(size) for size in SIZES])
    ax.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    ax.yaxis.set_major_formatter("{x:g}")
    ax.minorticks_off()
    ax.legend(frameon=False, loc="upper left", bbox_to_anchor=(1, 1))
    despine(ax, "top", "right")
    figure.savefig(path, dpi=150)


@pytest.fixture
def pictures(tmp_path):
    """Folder that SKGROUPNET_PICTURES names, or one that is thrown away."""
    return Path(os.environ.get("SKGROUPNET_PICTURES", tmp_path))


def ways():
    found = [("cpu", step, n) for step in ("compiled", "torch") for n in (1, 2)]
    return found + [("cuda", "torch", 1)] * torch.cuda.is_available()


def test_stack_size(pictures):
    widths, batch_size = (48, 32, 32, 11), 32
    title = f"{'-'.join(map(str, widths))}, batch {batch_size}"
    table = costs(widths, 2_560, batch_size, ways())
    print_table(title, table)
    path = pictures / "stack_size.png"
    draw(title, table, path)
    print(f"drawn: {path}", flush=True)
    # In a large stack a model is not dearer than alone.
    for micros in table.values():
        assert micros[-1] <= 1.2 * micros[0]


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU")
def test_large_networks_on_gpu():
    widths, batch_size = (784, 300, 100, 10), 128
    table = costs(widths, 2_560, batch_size, [("cuda", "torch", 1)])
    print_table(f"{'-'.join(map(str, widths))}, batch {batch_size}", table)
