"""Table 1: the experiments of Chen et al. 2020, by their procedure and by this package.

Both have their grids, networks (32, 32) and batches, and the same rows to train on.
Their procedure is in `report_reference`: tensor-wide groups, subgradients, inputs as
they are. This package: the groups of their text, biases included, and scaled inputs.
The validation rows choose; to show what their rule gives, the test rows, too.
"""

import time
import warnings

import numpy as np
import pandas as pd
import torch
from sklearn.preprocessing import FunctionTransformer

from skgroupnet import GroupSparseLogisticRegression, GroupSparseMLPClassifier
from skgroupnet.model_selection.together import Fitting, fit_together
from tests.benchmarks.evidence import results, splits
from tests.benchmarks.evidence.report_grid import (
    BATCH,
    DENSE,
    EITHER,
    FULL,
    GROUPED,
    METHODS,
    QUICK,
    SMALL,
    Grid,
)
from tests.benchmarks.evidence.report_pictures import draw
from tests.benchmarks.evidence.report_reference import Run, Stack
from tests.benchmarks.timing import one_thread

__all__ = ["draw", "run"]

OURS, THEIRS = "skgroupnet", "report"


def run(settings):
    """Train all grids by both procedures, choose, and follow what was chosen."""
    plan, grid = (QUICK, SMALL) if settings.quick else (FULL, Grid())
    rows = []
    for data in plan:
        for seed in list(settings.seeds(data.name))[: data.n_ours]:
            rows += _timed(f"{data.label}, seed {seed}, {OURS}")(
                _ours, data, seed, grid, settings
            )
        rows += _timed(f"{data.label}, {THEIRS}")(_theirs, data, grid, settings)
    runs = pd.DataFrame(rows)
    curves = _timed("curves")(_curves, plan, runs, grid, settings)
    table = pd.concat([_chosen(data, runs) for data in plan])
    return {
        "report_runs": runs,
        "report_chosen": table,
        "report_curves": curves,
        **readable(table),
    }


def readable(chosen):
    """For each data set a table to read: what validation chooses."""
    chosen = chosen[chosen["chosen by"] == "validation"]
    shares = [f"{100 * share:.0f}" for share in chosen["share"]]
    published = [
        results.percent(test, np.nan)
        + ("" if np.isnan(share) else f" at {100 * share:.0f} %")
        for test, share in chosen[["published test", "published share"]].to_numpy(float)
    ]
    columns = {
        "data": chosen["data"],
        "procedure": chosen["procedure"],
        "method": chosen["method"],
        "at most": [f"{limit:.0%}" for limit in chosen["limit"]],
        "test accuracy, %": [
            results.percent(mean, sd)
            for mean, sd in chosen[["test", "test sd"]].to_numpy(float)
        ],
        "parameters, %": shares,
        "neurons": chosen["neurons"].round(1),
        "features": chosen["features"].round(1),
        "seeds": chosen["seeds"],
        "published, %": published,
    }
    groups = pd.DataFrame(columns).groupby("data", sort=False)
    names = {
        name: f"report_{name.replace(', ', '_').replace(' ', '_')}"
        for name, _ in groups
    }
    return {names[name]: table.drop(columns="data") for name, table in groups}


def _timed(what):
    """Call a function that returns a list of models, and print how long it took."""

    def call(function, *arguments):
        start = time.perf_counter()
        answer = function(*arguments)
        seconds = time.perf_counter() - start
        print(f"{what}: {len(answer)} rows in {seconds:.1f} s", flush=True)
        return answer

    return call


def _split(data, seed, procedure, settings):
    """MNIST in [0, 1] for both; else scaled for us, and as it is for the report."""
    scaled = procedure == OURS or data.name == "mnist"
    scaler = None if scaled else FunctionTransformer()
    return splits.load(data.name, seed, scaler, settings.home)


def _row(split, data, procedure, method, optimizer, run, model, counted):
    """``counted``: parameters that are not zero, before those without use are cut."""
    return results.row(
        split,
        method,
        f"{run.penalty} {run.lam:g}, {optimizer} {run.rate:g}",
        model,
        data=data.label,
        procedure=procedure,
        solver=optimizer,
        learning_rate=run.rate,
        penalty=run.penalty,
        lam=run.lam,
        counted=counted,
        counted_share=counted / split.n_parameters(),
    )


def _estimator(run, optimizer, n_epochs, seed):
    """Our network for a run; its sgd has no momentum, as that of the report."""
    return GroupSparseMLPClassifier(
        splits.HIDDEN,
        penalty=run.penalty,
        lam=run.lam,
        penalize_bias=run.penalty != "l2",
        solver=optimizer,
        momentum=0.0,
        learning_rate_init=run.rate,
        batch_size=BATCH,
        max_iter=n_epochs,
        tol=0.0,
        n_iter_no_change=np.inf,
        random_state=seed,
    )


def _linear(run, n_epochs, seed):
    """Our logistic regression for a run."""
    return GroupSparseLogisticRegression(
        penalty=run.penalty,
        lam=run.lam,
        solver="adam",
        learning_rate_init=run.rate,
        batch_size=BATCH,
        max_iter=n_epochs,
        tol=0.0,
        random_state=seed,
    )


def _ours(data, seed, grid, settings):
    """All runs of the package, in stacks."""
    split = _split(data, seed, OURS, settings)
    tasks = [
        (METHODS[run.penalty], optimizer, run, estimator)
        for optimizer in grid.optimizers
        for run in grid.networks()
        for estimator in [_estimator(run, optimizer, grid.n_epochs * data.times, seed)]
    ] + [
        ("logistic", "adam", run, _linear(run, grid.logistic_epochs * data.times, seed))
        for run in grid.logistic()
    ]
    with warnings.catch_warnings():
        # The number of epochs is the report's.
        warnings.simplefilter("ignore")
        fitted = fit_together(
            [Fitting(estimator, *split.train) for *_, estimator in tasks],
            n_jobs=settings.n_jobs,
            certify=False,
        )
    rows = []
    for (method, optimizer, run, model), outcome in zip(tasks, fitted, strict=True):
        if outcome.error is not None:
            raise outcome.error
        arrays = [*model.coefs_, *model.intercepts_]
        counted = sum(np.count_nonzero(array) for array in arrays)
        rows.append(_row(split, data, OURS, method, optimizer, run, model, counted))
    return rows


def _theirs(data, grid, settings):
    """All runs of the report's own procedure, one process for each optimizer."""
    tasks = [
        (data, seed, method, optimizer, grid, settings)
        for seed in list(settings.seeds(data.name))[: data.n_seeds]
        for method, optimizer in [
            *[("network", optimizer) for optimizer in grid.optimizers],
            ("logistic", "adam"),
        ]
    ]
    return results.in_processes(_their_stack, tasks, settings)


def _their_stack(data, seed, method, optimizer, grid, settings):
    """The runs of one optimizer, or those of logistic regression."""
    split = _split(data, seed, THEIRS, settings)
    if method == "network":
        runs, n_epochs, hidden = grid.networks(), grid.n_epochs, splits.HIDDEN
    else:
        runs, n_epochs, hidden = grid.logistic(), grid.logistic_epochs, ()
    X, y, classes = _tensors(split.train)
    with one_thread():
        stack = Stack((X.shape[1], *hidden, len(classes)), optimizer, runs, seed)
        for _ in range(n_epochs * data.times):
            stack.epoch(X, y, BATCH)
    return [
        _row(
            split,
            data,
            THEIRS,
            "logistic" if method == "logistic" else METHODS[run.penalty],
            optimizer,
            run,
            model,
            model.network.n_parameters,
        )
        for run, model in zip(runs, stack.trained(classes), strict=True)
    ]


def _tensors(rows):
    """X, y as numbers of classes, and the classes."""
    classes, y = np.unique(rows.y, return_inverse=True)
    return torch.as_tensor(rows.X), torch.as_tensor(y), classes


def _with_either(runs):
    """Runs, and those of both group penalties once more under one name."""
    both = runs[runs["method"].isin(GROUPED)].assign(method=EITHER)
    return pd.concat([runs, both], ignore_index=True)


def _choose(runs, judge, limit):
    """Rows chosen by the validation rows, or, as the report did, by the test rows.

    The report counts parameters before those without use are cut.
    """
    if judge == "validation":
        return results.chosen(runs, limit)
    seen = runs.assign(validation=runs["test"], share=runs["counted_share"])
    return runs.loc[results.chosen(seen, limit).index]


def _chosen(data, runs):
    """The table of a data set: what each procedure gives under each size limit."""
    columns = "test", "share", "counted_share", "parameters", "neurons", "features"
    runs = _with_either(runs[runs["data"] == data.label])
    dense = runs["method"].isin(["logistic", DENSE])
    tables = []
    for limit in data.limits:
        for judge in ("validation", "test"):
            for procedure in (THEIRS, OURS):
                wanted = runs["procedure"] == procedure
                if limit < 1:
                    wanted &= ~dense
                picked = _choose(runs[wanted], judge, limit)
                picked = picked.sort_values("method", key=_order, kind="stable")
                table = results.summary(picked, columns)
                table.insert(1, "procedure", procedure)
                table.insert(2, "chosen by", judge)
                table.insert(3, "limit", limit)
                tables.append(table)
    table = pd.concat(tables, ignore_index=True)
    published = [
        _published(data, method, limit)
        for method, limit in table[["method", "limit"]].itertuples(index=False)
    ]
    table[["published test", "published share"]] = pd.DataFrame(published)
    return table


def _order(methods):
    """Where methods stand in a table."""
    order = ["logistic", *METHODS.values(), EITHER]
    return methods.map(order.index)


def _published(data, method, limit):
    """Best published test accuracy under the limit, and the share that it kept."""
    baselines = {"logistic": data.logistic, DENSE: data.dense}
    within = [
        (test, kept / data.n_parameters)
        for test, kept in data.published
        if kept <= limit * data.n_parameters
    ]
    if method in baselines:
        return baselines[method], None
    return max(within) if within and method == EITHER else (None, None)


def _curves(plan, runs, grid, settings):
    """Loss and test accuracy by epoch: its figures 4 to 9, by both procedures.

    The dense network and the sparse one of the size of the report's pick that the
    validation rows choose, first seed; if none is so small, the smallest.
    """
    tasks = []
    for data in plan:
        seed = settings.seeds(data.name)[0]
        first = runs[(runs["data"] == data.label) & (runs["seed"] == seed)]
        for procedure in (THEIRS, OURS):
            own = _with_either(first[first["procedure"] == procedure])
            limit = data.picked / data.n_parameters
            for method, share in ((DENSE, 1.0), (EITHER, limit)):
                rows = own[own["method"] == method]
                picked = results.chosen(rows, max(share, rows["share"].min()))
                tasks.append((data, picked.iloc[0], grid, settings))
    return pd.DataFrame(results.in_processes(_curve, tasks, settings))


def _curve(data, row, grid, settings):
    """Train a chosen run once more, and look at it as often as it had epochs."""
    follow = {OURS: _follow_ours, THEIRS: _follow_theirs}[row["procedure"]]
    split = _split(data, int(row["seed"]), row["procedure"], settings)
    run = Run(row["penalty"], row["lam"], row["learning_rate"])
    n_epochs = grid.n_epochs * data.times
    chosen = row[["data", "procedure", "method", "seed", "setting"]].to_dict()
    points = enumerate(follow(split, run, row["solver"], n_epochs), 1)
    return [
        {**chosen, "epoch": epoch, "loss": loss, "test": test}
        for epoch, (loss, test) in points
        if epoch % data.times == 0
    ]


def _follow_ours(split, run, optimizer, n_epochs):
    """Objective and test accuracy of our network after each epoch."""
    model = _estimator(run, optimizer, n_epochs, split.seed)
    for _ in range(n_epochs):
        model.partial_fit(*split.train, classes=np.unique(split.train.y))
        yield model.loss_curve_[-1], model.score(*split.test)


def _follow_theirs(split, run, optimizer, n_epochs):
    """Objective and test accuracy of the report's network after each epoch."""
    X, y, classes = _tensors(split.train)
    widths = X.shape[1], *splits.HIDDEN, len(classes)
    with one_thread():
        stack = Stack(widths, optimizer, [run], split.seed)
        for _ in range(n_epochs):
            (loss,) = stack.epoch(X, y, BATCH)
            (model,) = stack.trained(classes)
            yield loss, model.score(*split.test)
