"""Table 3: structured pruning of 784-300-100-10 on MNIST, next to published figures.

Group l1/2 on the rows of the weights, then fine-tuning of what is left. Once on the
50,000 training rows as they are, and once on copies of them with Gaussian noise added
to the pixels, which regularises without knowing that they form an image. Validation
(10,000 of the training rows) chooses; the chosen `lam` is then also trained on all
60,000. Size: the multiply-adds of the dense compact network, the product of the widths
of each two neighbouring layers, summed.
"""

from dataclasses import replace

import numpy as np
import pandas as pd

from tests.benchmarks.evidence.lenet_pictures import draw
from tests.benchmarks.evidence.paths import path_rows, scheduled
from tests.benchmarks.evidence.results import chosen, summary
from tests.benchmarks.evidence.splits import Rows, Training, load, noisy

__all__ = ["draw", "run"]

HIDDEN = (300, 100)
TRAINING = Training(160, 256, 4e-3)
FINE_TUNING = 40
LAMS = np.geomspace(6e-5, 3.6e-4, 9)
NOISE = 0.2
N_COPIES = 4
# Multiply-adds of published networks (VIBNet, DeepHoyer, L0, Sparse VD), and half.
LIMITS = (5_000, 9_600, 16_500, 28_000, 68_000)
AS_THEY_ARE, NOISY = "group_l12", "group_l12, noisy copies"
REFITTED = "group_l12, noisy copies, 60,000 rows"


def run(settings):
    """Train on rows as they are and on noisy ones; refit what validation chose."""
    name = "digits" if settings.quick else "mnist"
    rows = []
    for seed in settings.seeds(name):
        split = load(name, seed, home=settings.home)
        copies = replace(split, train=noisy(split.train, NOISE, N_COPIES, seed))
        found = _path(split, AS_THEY_ARE, LAMS, TRAINING.epochs, settings)
        epochs = TRAINING.epochs // N_COPIES
        found += _path(copies, NOISY, LAMS, epochs, settings)
        rows += found + _refitted(split, pd.DataFrame(found), epochs, settings)
        print(f"{name}, seed {seed}", flush=True)
    runs = pd.DataFrame(rows)
    return {"lenet_runs": runs, "lenet": _table(runs)}


def _path(split, method, lams, epochs, settings):
    """Rows of the networks of a path; two or three epochs if quick."""
    epochs = 2 if settings.quick else epochs
    network = scheduled(
        TRAINING,
        HIDDEN,
        penalty="group_l12",
        max_iter=epochs,
        finetune_iter=max(1, epochs * FINE_TUNING // TRAINING.epochs),
        random_state=split.seed,
    )
    return path_rows(split, network, lams, method, settings, more=_size)


def _size(model):
    """Multiply-adds of the dense network of the units that are left."""
    widths = [int(mask.sum()) for mask in model.active_neurons_]
    widths.append(len(model.classes_))
    macs = sum(a * b for a, b in zip(widths[:-1], widths[1:], strict=True))
    kept = "-".join(map(str, widths))
    return {"kept": kept, "multiply-adds": macs, "lam": model.lam}


def _refitted(split, found, epochs, settings):
    """What validation chose within the limits, trained on its rows, too."""
    tried = found[found["method"] == NOISY]
    best = [chosen(tried, limit, "multiply-adds")["lam"] for limit in LIMITS]
    lams = np.unique(np.concatenate(best))
    rows = Rows(*map(np.concatenate, zip(split.train, split.validation, strict=True)))
    whole = replace(split, train=noisy(rows, NOISE, N_COPIES, split.seed))
    refitted = _path(whole, REFITTED, lams, epochs, settings)
    # It has been trained on; the score that chose lam is the one of the smaller fit.
    scores = tried.set_index("lam")["validation"]
    return [{**new, "validation": scores[new["lam"]]} for new in refitted]


def _table(runs):
    """For each limit what validation chooses, mean and sd, and the first network."""
    tables = []
    for limit in LIMITS:
        rows = chosen(runs, limit, "multiply-adds")
        table = summary(rows, ["test", "multiply-adds", "parameters"])
        first = rows[rows["seed"] == 0].set_index("method")["kept"]
        table["kept, seed 0"] = table["method"].map(first)
        tables.append(table.assign(limit=limit))
    return pd.concat(tables)
