"""Fits that are done together equal those that are done one by one."""

import warnings

import joblib
import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_array
from sklearn.base import clone
from sklearn.datasets import make_classification, make_regression
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import KFold

from skgroupnet import (
    GroupSparseLogisticRegression,
    GroupSparseMLPClassifier,
    GroupSparseMLPRegressor,
    config_context,
)
from skgroupnet.config import chosen_step
from skgroupnet.model_selection import together
from skgroupnet.model_selection.together import Fitting, fit_together

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
N = 90
X, y = make_classification(
    N, 8, n_informative=5, n_redundant=0, n_classes=3, random_state=0
)
X_REAL, y_REAL = make_regression(N, 8, n_targets=2, random_state=0)
WEIGHT = np.random.RandomState(1).randint(0, 3, N).astype(float)
FOLDS = [train for train, _ in KFold(4, shuffle=True, random_state=0).split(X)]
MLP = GroupSparseMLPClassifier((6, 4), max_iter=4, batch_size=20, random_state=0)
CASES = {
    "classifier": (MLP, X, y, {}),
    "float32": (MLP, X.astype(np.float32), y, {}),
    "list": (MLP, X.tolist(), y.tolist(), {}),
    "frame": (MLP, pd.DataFrame(X).add_prefix("x"), pd.Series(y), {}),
    "sparse": (MLP, csr_array(X), y, {}),
    "strings": (MLP, X, np.array(list("abc"))[y], {}),
    "weights": (MLP, X, y, {"sample_weight": WEIGHT}),
    "class weights": (clone(MLP).set_params(class_weight="balanced"), X, y, {}),
    "early stopping": (
        clone(MLP).set_params(early_stopping=True, validation_fraction=0.2), X, y,
        {"sample_weight": WEIGHT},
    ),
    "own validation": (
        clone(MLP).set_params(early_stopping=True), X, y,
        {"X_val": X[:30] + 0.1, "y_val": y[:30]},
    ),
    "fine-tuning": (clone(MLP).set_params(finetune_iter=3), X, y, {}),
    "multilabel": (MLP, X, np.stack([y > 0, y > 1], axis=1).astype(int), {}),
    "regressor": (
        GroupSparseMLPRegressor(5, max_iter=4, random_state=0), X_REAL, y_REAL, {}
    ),
    "poisson": (
        GroupSparseMLPRegressor(5, loss="poisson", max_iter=4, random_state=0),
        X, y, {},
    ),
    "linear": (GroupSparseLogisticRegression(), X, y, {"sample_weight": WEIGHT}),
    "stochastic linear": (
        GroupSparseLogisticRegression(
            solver="adam", learning_rate_init=0.05, max_iter=30, tol=1e-3,
            random_state=0,
        ),
        X, y, {},
    ),
}  # fmt: skip
FITTED = (
    "coefs_", "intercepts_", "loss_curve_", "n_iter_", "stationarity_gap_",
    "n_active_neurons_", "feature_importances_", "n_features_in_", "classes_",
    "feature_names_in_", "validation_scores_", "best_validation_score_", "coef_",
)  # fmt: skip


def _take(values, rows):
    if isinstance(values, pd.DataFrame | pd.Series):
        return values.iloc[rows]
    return [values[i] for i in rows] if isinstance(values, list) else values[rows]


def _fittings(estimator, X, y, params, lams=(1e-3, 0.05)):
    return [
        Fitting(clone(estimator).set_params(lam=lam), X, y, rows, params)
        for lam in lams
        for rows in FOLDS
    ]


def _alone(fitting):
    params = dict(fitting.fit_params)
    if "sample_weight" in params:
        params["sample_weight"] = params["sample_weight"][fitting.rows]
    rows = fitting.rows
    estimator = clone(fitting.estimator)
    return estimator.fit(_take(fitting.X, rows), _take(fitting.y, rows), **params)


def _check_same(fitted, alone):
    """Bit by bit, in compiled steps; products in torch depend on how many there are."""
    __tracebackhide__ = True
    if chosen_step() == "torch":
        for one, other in zip(fitted.coefs_, alone.coefs_, strict=True):
            np.testing.assert_allclose(one, other, 1e-4, 1e-6)
        return
    for name in FITTED:
        values = [vars(est).get(name, "absent") for est in (fitted, alone)]
        if name in ("coefs_", "intercepts_"):
            for one, other in zip(*values, strict=True):
                np.testing.assert_array_equal(one, other)
        else:
            np.testing.assert_array_equal(*values, err_msg=name)


@pytest.mark.parametrize("step", ["auto", "torch"])
@pytest.mark.parametrize("case", CASES)
def test_as_one_by_one(case, step):
    with config_context(step=step):
        fittings = _fittings(*CASES[case])
        fitted = fit_together(fittings, n_jobs=2, stack_memory=2e5)
        for one, fitting in zip(fitted, _fittings(*CASES[case]), strict=True):
            assert one.error is None and one.seconds > 0
            _check_same(one.estimator, _alone(fitting))
    assert [one.estimator for one in fitted] == [f.estimator for f in fittings]


def test_folds_with_fewer_classes():
    labels = np.where(np.arange(N) < 6, 2, y % 2)
    rows = [np.arange(6, N), np.arange(N - 6), np.arange(6, N - 20)]
    fittings = [Fitting(clone(MLP), X, labels, r) for r in rows]
    fitted = fit_together(fittings)
    assert [len(one.estimator.classes_) for one in fitted] == [2, 3, 2]
    for one, fitting in zip(fitted, fittings, strict=True):
        _check_same(one.estimator, _alone(fitting))


@pytest.mark.parametrize("n_jobs", [1, 2, 5])
@pytest.mark.parametrize("stack_memory", [1, 1e5, 1e9])
def test_nothing_depends_on_jobs_and_memory(n_jobs, stack_memory):
    fittings = _fittings(*CASES["classifier"])
    fitted = fit_together(fittings, n_jobs=n_jobs, stack_memory=stack_memory)
    for one, fitting in zip(fitted, fittings, strict=True):
        _check_same(one.estimator, _alone(fitting))


def test_in_processes(monkeypatch):
    def never(*arguments, **settings):
        raise AssertionError("fits in this process")

    pieces, delayed = [], together.delayed
    monkeypatch.setattr(together, "delayed", lambda f: pieces.append(1) or delayed(f))
    fittings = _fittings(*CASES["weights"])
    with joblib.parallel_config("loky", n_jobs=2), config_context(step="torch"):
        with monkeypatch.context() as patch:
            patch.setattr(together, "carry_out", never)
            fitted = fit_together(fittings)
        assert len(pieces) == 2
        for one, fitting in zip(fitted, fittings, strict=True):
            assert one.error is None
            _check_same(one.estimator, _alone(fitting))


def test_pieces_stay_within_the_memory(monkeypatch):
    sizes, carry_out = [], together.carry_out

    def counted(plans, **settings):
        sizes.append(len(plans))
        return carry_out(plans, **settings)

    monkeypatch.setattr(together, "carry_out", counted)
    fittings = _fittings(*CASES["classifier"])
    fit_together(fittings)
    given = MLP._validated(X, y, None)
    need = clone(MLP)._bytes_in_training(given)
    fit_together(fittings, stack_memory=3 * need)
    fit_together(fittings, stack_memory=1)
    assert sizes == [8] + [3, 3, 2] + [1] * 8


def test_data_are_validated_once(monkeypatch):
    calls, validated = [], GroupSparseMLPClassifier._validated
    monkeypatch.setattr(
        GroupSparseMLPClassifier, "_validated",
        lambda self, *args, **kw: calls.append(1) or validated(self, *args, **kw),
    )  # fmt: skip
    fit_together(_fittings(*CASES["frame"]))
    assert len(calls) == 1


def test_a_failure_stays_alone():
    bad = {
        0: {"lam": -1},
        1: {"learning_rate_init": 1e300, "lam": 0.0},
        3: {"hidden_layer_sizes": (3, 0)},
        4: {"groups": [[0], [0]]},
    }
    fittings = _fittings(*CASES["classifier"])
    for m, params in bad.items():
        fittings[m].estimator.set_params(**params)
    fitted = fit_together(fittings)
    for m, (one, fitting) in enumerate(zip(fitted, fittings, strict=True)):
        assert (one.error is not None) == (m in bad)
        if m == 1:
            assert isinstance(one.error, FloatingPointError)
            assert "lower learning_rate_init" in str(one.error)
        elif m in bad:
            with pytest.raises(type(one.error)) as error:
                _alone(fitting)
            assert str(error.value) == str(one.error)
            assert not one.estimator.__sklearn_is_fitted__()
        else:
            _check_same(one.estimator, _alone(fitting))


def test_bad_data_fail_with_the_error_of_fit():
    rows = np.flatnonzero(WEIGHT == 0)
    for arguments in (
        {"X": np.where(X > 2, np.nan, X)},
        {"y": y[:-1]},
        {"rows": rows, "fit_params": {"sample_weight": WEIGHT}},
        {"fit_params": {"X_val": X}},
        {"fit_params": {"colour": "red"}},
        {"y": np.zeros(N)},
    ):
        (one,) = fit_together([Fitting(clone(MLP), **{"X": X, "y": y} | arguments)])
        assert isinstance(one.error, ValueError | TypeError), arguments


def test_random_states_of_all_kinds():
    """None draws from numpy's generator; an instance is the fit's own."""
    np.random.seed(3)
    fittings = [Fitting(clone(MLP).set_params(random_state=None), X, y) for _ in "ab"]
    one, other = (f.estimator.coefs_[0] for f in fit_together(fittings))
    assert (one != other).any()
    np.random.seed(3)
    alone = [clone(MLP).set_params(random_state=None).fit(X, y) for _ in "ab"]
    np.testing.assert_array_equal(alone[0].coefs_[0], one)
    np.testing.assert_array_equal(alone[1].coefs_[0], other)


def test_an_interrupt_keeps_whole_epochs():
    def watch(epoch):
        if epoch.n_iter == 2:
            raise KeyboardInterrupt

    fittings = _fittings(*CASES["classifier"])
    need = clone(MLP)._bytes_in_training(MLP._validated(X, y, None))
    with warnings.catch_warnings():
        warnings.simplefilter("error", ConvergenceWarning)
        warnings.filterwarnings("ignore", "Training was interrupted")
        fitted = fit_together(fittings, stack_memory=5 * need, watch=watch)
    assert [one.interrupted for one in fitted] == [True] * 5 + [False] * 3
    assert [one.estimator.n_iter_ for one in fitted[:5]] == [2] * 5
    assert {type(one.error) for one in fitted[:5]} == {type(None)}
    assert {type(one.error) for one in fitted[5:]} == {KeyboardInterrupt}
    assert all(one.estimator.predict(X).shape == (N,) for one in fitted[:5])


def test_an_interrupt_before_training_is_told(monkeypatch):
    def interrupt(*arguments, **settings):
        raise KeyboardInterrupt

    monkeypatch.setattr(together, "carry_out", interrupt)
    fitted = fit_together(_fittings(*CASES["classifier"]))
    assert {type(one.error) for one in fitted} == {KeyboardInterrupt}


def test_a_watcher_can_stop():
    fitted = fit_together(
        _fittings(*CASES["classifier"]), watch=lambda epoch: epoch.n_iter == 3
    )
    assert [one.estimator.n_iter_ for one in fitted] == [3] * 8


def test_time_is_shared_by_work():
    quick, slow = clone(MLP).set_params(max_iter=2), clone(MLP).set_params(max_iter=20)
    fitted = fit_together([Fitting(est, X, y) for est in (quick, slow)])
    assert fitted[1].seconds == pytest.approx(10 * fitted[0].seconds, rel=1e-3)


def test_an_interrupt_leaves_fine_tuning_out():
    """Also of a model that had converged: it is not what it was to be."""

    def watch(epoch):
        if epoch.n_iter == 3:
            raise KeyboardInterrupt

    estimators = [
        clone(MLP).set_params(finetune_iter=2, max_iter=max_iter) for max_iter in (2, 4)
    ]
    fitted = fit_together([Fitting(est, X, y) for est in estimators], watch=watch)
    assert [one.interrupted for one in fitted] == [True, True]
    assert [one.estimator.n_iter_ for one in fitted] == [2, 3]


def test_an_interrupt_while_processes_train(monkeypatch):
    def interrupt(*arguments, **settings):
        raise KeyboardInterrupt

    monkeypatch.setattr(together, "Parallel", interrupt)
    with joblib.parallel_config("loky", n_jobs=2):
        fitted = fit_together(_fittings(*CASES["classifier"]))
    assert {type(one.error) for one in fitted} == {KeyboardInterrupt}


def test_what_a_process_does():
    """The part of a fit that coverage does not follow into another process."""
    (one,), failed = together._prepare([Fitting(clone(MLP), X, y)])
    (fitted,) = together._fit_in_process([one], "torch", certify=False)
    assert not failed and fitted.error is None
    assert not hasattr(fitted.estimator, "stationarity_gap_")
    np.testing.assert_allclose(
        fitted.estimator.coefs_[0], clone(MLP).fit(X, y).coefs_[0], 1e-9
    )


def test_an_interrupt_of_networks_keeps_linear_models_from_beginning():
    """Linear models that had not begun when the networks were interrupted."""

    def watch(epoch):
        raise KeyboardInterrupt

    fittings = [
        Fitting(clone(MLP), X, y),
        Fitting(clone(CASES["linear"][0]), X, y),
    ]
    fitted = fit_together(fittings, watch=watch)
    assert fitted[0].interrupted and fitted[0].error is None
    assert isinstance(fitted[1].error, KeyboardInterrupt)
