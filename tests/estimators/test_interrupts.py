"""Ctrl-C at any moment: a fitted estimator and a warning, or the one before it."""

import inspect
import os
import signal
import sys
import threading
import time
import warnings
from copy import deepcopy
from pathlib import Path

import numpy as np
import pytest
import torch

import skgroupnet
from skgroupnet import (
    GroupSparseLinearRegression,
    GroupSparseLogisticRegression,
    GroupSparseLogisticRegressionCV,
    GroupSparseMLPClassifier,
    GroupSparseMLPClassifierCV,
    GroupSparseMLPRegressor,
    GroupSparsePoissonRegressor,
)
from skgroupnet.model_selection import BatchedGridSearchCV, regularization_path

PACKAGE = str(Path(skgroupnet.__file__).parent)
RNG = np.random.default_rng(0)
X = RNG.normal(size=(120, 8))
Y = (X[:, 0] + X[:, 1] > 0).astype(int)
LABELS = RNG.integers(0, 3, 120)


def mlp(**settings):
    return GroupSparseMLPClassifier((6,), max_iter=8, random_state=0, **settings)


FITS = {
    "network": (mlp(), Y),
    "stages": (mlp(early_stopping=True, finetune_iter=4, lam=0.01), Y),
    "adaptive": (mlp(penalty="adaptive_group_lasso", lam=0.01), Y),
    "regressor": (GroupSparseMLPRegressor((4, 3), max_iter=8, random_state=0), X[:, 0]),
    "newton": (GroupSparseLogisticRegression(lam=0.02), Y),
    "fista": (GroupSparseLogisticRegression(lam=0.02, max_iter=50), LABELS),
    "admm": (GroupSparseLinearRegression(lam=0.02, solver="admm"), X[:, 0]),
    "concave": (GroupSparseLinearRegression(lam=0.02, penalty="group_mcp"), X[:, 0]),
    "poisson": (GroupSparsePoissonRegressor(lam=0.02), LABELS),
    "empty": (GroupSparseLogisticRegression(lam=9.0), Y),
    "linear_cv": (GroupSparseLogisticRegressionCV(lams=3, cv=2), Y),
    "network_cv": (
        GroupSparseMLPClassifierCV((4,), lams=3, cv=2, max_iter=4, random_state=0),
        Y,
    ),
    "search": (BatchedGridSearchCV(mlp(), {"lam": [1e-3, 1e-2]}, cv=2), Y),
}


class Interrupt:
    """Raises KeyboardInterrupt at the k-th call of a function of the package."""

    def __init__(self, at):
        self.at, self.n_calls = at, 0

    def __enter__(self):
        sys.setprofile(self._profile)
        return self

    def __exit__(self, *raised):
        sys.setprofile(None)

    def _profile(self, frame, event, argument):
        code = frame.f_code
        # A generator is called once more when it is closed: signals do not come then.
        if code.co_flags & inspect.CO_GENERATOR:
            return
        if event == "call" and code.co_filename.startswith(PACKAGE):
            self.n_calls += 1
            if self.n_calls == self.at:
                raise KeyboardInterrupt


def outcome(model, y, interrupt):
    """Fit under interrupts; return how it ended: "raised", "warned" or "silent"."""
    before = dict(vars(model))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            with interrupt:
                model.fit(X, y)
        except KeyboardInterrupt:
            raised = True
        else:
            raised = False
    if raised:
        assert vars(model).keys() == before.keys()
        assert all(vars(model)[name] is value for name, value in before.items())
        return "raised"
    told = any("interrupted" in str(warning.message) for warning in caught)
    return "warned" if told else "silent"


def check_whole(model):
    """What is kept is what the numbers say: one network, its curve, its counts."""
    if isinstance(model, BatchedGridSearchCV):
        assert len(model.cv_results_["mean_test_score"]) == 2
        return
    if not hasattr(model, "coefs_"):
        assert model.scores_.shape == (len(model.lams_), 2)
        return
    assert len(model.loss_curve_) == model.n_iter_ > 0
    assert model.get_support().sum() == model.n_active_features_
    assert model.predict(X).shape == (len(X),)


@pytest.mark.parametrize("kind", FITS)
def test_an_interrupt_at_any_call(kind):
    """Of the set-up, an epoch, the certificate, the scores, the refit, the result."""
    model, y = FITS[kind]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.fit(X, y)
        with Interrupt(None) as whole:
            model.fit(X, y)
    random_state = np.random.RandomState(len(kind))
    moments = [1, whole.n_calls, *random_state.randint(1, whole.n_calls, 8)]
    threads = torch.get_num_threads()
    for at in moments:
        ended = outcome(model, y, Interrupt(at))
        assert ended != "silent", at
        if ended == "warned":
            check_whole(model)
        assert torch.get_num_threads() == threads
        assert not torch.is_inference_mode_enabled()


def test_an_interrupted_partial_fit_goes_on_as_if_it_had_not_been():
    """The generator of the order of the rows is put back, too.

    Once its epoch has ended, it is kept, and a warning says so.
    """
    expected, first = mlp(), mlp()
    for fitted in (expected, first):
        fitted.partial_fit(X, Y, classes=[0, 1])
    with Interrupt(None) as whole:
        expected.partial_fit(X, Y)
    for at in np.linspace(1, whole.n_calls, 7).astype(int):
        model = deepcopy(first)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            try:
                with Interrupt(at):
                    model.partial_fit(X, Y)
                assert any("interrupted by the user" in str(w.message) for w in caught)
            except KeyboardInterrupt:
                model.partial_fit(X, Y)
        np.testing.assert_array_equal(model.coefs_[0], expected.coefs_[0])


@pytest.mark.parametrize("warm_start", [False, True])
def test_an_interrupted_path_says_so(warm_start):
    def fit():
        return regularization_path(mlp(), X, Y, lams=3, warm_start=warm_start)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with Interrupt(None) as whole:
            fit()
    for at in np.linspace(1, whole.n_calls - 1, 8).astype(int):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            try:
                with Interrupt(at):
                    fit()
            except KeyboardInterrupt:
                continue
        assert any("interrupted by the user" in str(w.message) for w in caught), at


@pytest.mark.skipif(not hasattr(signal, "pthread_kill"), reason="needs POSIX signals")
def test_a_signal_is_answered_at_once():
    """Within half a second, in the middle of compiled steps."""
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(20_000, 50))
    model = GroupSparseMLPClassifier(
        (50,), max_iter=10**6, n_iter_no_change=np.inf, random_state=0
    )
    sent = []

    def send():
        time.sleep(2)
        sent.append(time.perf_counter())
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=send).start()
    with pytest.warns(UserWarning, match="interrupted by the user"):
        model.fit(rows, (rows[:, 0] > 0).astype(int))
    # What follows is a certificate over all rows.
    assert time.perf_counter() - sent[0] < 2
    assert len(model.loss_curve_) == model.n_iter_ > 0
