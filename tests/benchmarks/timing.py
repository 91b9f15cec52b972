"""Wall and processor time of alternatives that take turns."""

import statistics
import time
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

import torch
from threadpoolctl import threadpool_limits


@dataclass(frozen=True)
class Seconds:
    """Time by the clock, and time spent by all threads of this process."""

    wall: float
    cpu: float


@contextmanager
def at_most(n_threads):
    """Keep BLAS, OpenMP and torch on so many threads; restore after the block."""
    before = torch.get_num_threads()
    with threadpool_limits(n_threads):
        torch.set_num_threads(n_threads)
        try:
            yield
        finally:
            torch.set_num_threads(before)


def one_thread():
    """Keep BLAS, OpenMP and torch on one thread; restore after the block."""
    return at_most(1)


def measure(function):
    """Time one call."""
    wall, cpu = time.perf_counter(), time.process_time()
    function()
    return Seconds(time.perf_counter() - wall, time.process_time() - cpu)


def medians(contenders, repeats):
    """Time alternatives in turn, so that what else the machine does falls on all.

    ``contenders`` maps a name to a function that returns `Seconds`. The first round
    warms up and does not count.
    """
    rounds = [
        {name: contender() for name, contender in contenders.items()}
        for _ in range(1 + repeats)
    ][1:]
    return {
        name: Seconds(
            statistics.median(taken[name].wall for taken in rounds),
            statistics.median(taken[name].cpu for taken in rounds),
        )
        for name in contenders
    }


def epochs(fits, repeats):
    """Time an epoch without what a fit costs besides its epochs.

    ``fits`` maps a name to (fit, k), where ``fit(k)`` trains for k epochs. The answer
    is the median time of a fit of 1 + k epochs less that of a fit of one, divided by k.
    """
    contenders = {}
    for name, (fit, n_epochs) in fits.items():
        contenders[name, 1] = partial(measure, partial(fit, 1))
        contenders[name, 2] = partial(measure, partial(fit, 1 + n_epochs))
    times = medians(contenders, repeats)
    answer = {}
    for name, (_, n_epochs) in fits.items():
        short, long = times[name, 1], times[name, 2]
        answer[name] = Seconds(
            (long.wall - short.wall) / n_epochs, (long.cpu - short.cpu) / n_epochs
        )
    return answer


def report(title, times, base, targets=None):
    """Print a table of times; return the targets that were missed.

    The ratio is the wall time of a row divided by that of ``base``: how many times as
    fast ``base`` is. ``targets`` maps a row to the smallest ratio that will do.
    """
    targets = targets or {}
    print(f"\n\n{title}")
    print(f"{'':<34}{'wall, ms':>12}{'cpu, ms':>12}{'ratio':>8}{'target':>8}")
    missed = {}
    for name, seconds in times.items():
        ratio = seconds.wall / times[base].wall
        line = f"{name:<34}{1e3 * seconds.wall:>12.3f}{1e3 * seconds.cpu:>12.3f}"
        line += f"{ratio:>8.2f}"
        if targets.get(name):
            met = ratio >= targets[name]
            line += f"{targets[name]:>8.1f}  {'met' if met else 'MISSED'}"
            if not met:
                missed[name] = f"{ratio:.2f} < {targets[name]}"
        print(line, flush=True)
    return missed
