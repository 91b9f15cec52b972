"""Time of predictions of a pruned network, next to the unpruned and scikit-learn's."""

import warnings
from functools import partial

import numpy as np
import pytest
from sklearn.neural_network import MLPClassifier

from skgroupnet import GroupSparseMLPClassifier
from tests.benchmarks.timing import measure, medians, one_thread, report

pytestmark = pytest.mark.benchmark

N_ROWS = 10_000
REPEATS = 51
PRUNED = "pruned"
UNPRUNED = "unpruned"
# scikit-learn's of the compact shape: given the columns picked and in one piece, which
# the target is for, and picking them as the pruned estimator does.
SKLEARN = "MLPClassifier, columns picked"
SKLEARN_PICKS = "MLPClassifier, picks columns"
# As a pandas DataFrame often holds its rows.
PRUNED_FORTRAN = "pruned, X in Fortran order"
UNPRUNED_FORTRAN = "unpruned, X in Fortran order"
# Of the parameters, left by pruning: a quarter.
SHARE = (0.22, 0.26)


def quietly(fit, *data):
    """Fit for a few epochs, which is not enough to converge."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return fit(*data)


def few_columns_matter(n_columns):
    """Relevance of the columns that makes pruning take inputs first."""
    return 1.5 * np.exp(-np.arange(n_columns) / (0.25 * n_columns))


def many_columns_matter(n_columns):
    """Relevance of the columns that makes pruning take neurons first."""
    return np.where(np.arange(n_columns) < n_columns // 2, 0.3, 0.0)


def synthetic(widths, relevance_of):
    """Rows around one centre per class, further apart in columns that matter."""
    rng = np.random.RandomState(0)
    n_classes = widths[-1]
    relevance = relevance_of(widths[0])
    centres = relevance * rng.standard_normal((n_classes, widths[0]))
    y = rng.randint(n_classes, size=N_ROWS)
    X = rng.standard_normal((N_ROWS, widths[0])) + centres[y]
    # Columns in any order, so that those that are left are not the first ones.
    X = X[:, rng.permutation(widths[0])]
    return np.ascontiguousarray(X, dtype=np.float32), y


def quarter_left(widths, X, y):
    """Bisect for the lam at which a quarter of the parameters is left."""
    total = sum((a + 1) * b for a, b in zip(widths, widths[1:], strict=False))
    low, high = 1e-5, 1e-1
    for _ in range(25):
        lam = np.sqrt(low * high)
        model = GroupSparseMLPClassifier(
            widths[1:-1],
            lam=lam,
            learning_rate_init=3e-3,
            batch_size=128,
            max_iter=8,
            random_state=0,
        )
        quietly(model.fit, X[:4000], y[:4000])
        share = model.n_active_parameters_ / total
        if SHARE[0] <= share <= SHARE[1]:
            return model, share
        low, high = (lam, high) if share > SHARE[1] else (low, lam)
    pytest.fail(f"no lam leaves a quarter of the parameters, the last {share:.2f}")


def sklearn_of_shape(compact, X, y):
    """Give an MLPClassifier the weights of a pruned estimator."""
    hidden = tuple(len(b) for b in compact.intercepts_[:-1])
    model = MLPClassifier(hidden, max_iter=1, random_state=0)
    quietly(model.fit, X, y)
    model.coefs_ = [np.array(W) for W in compact.coefs_]
    model.intercepts_ = [np.array(b) for b in compact.intercepts_]
    return model


def pick_and_call(function, X, columns):
    return function(X.take(columns, axis=1))


@pytest.mark.parametrize(
    ("widths", "relevance_of", "has_target"),
    [
        ((784, 300, 100, 10), few_columns_matter, True),
        ((784, 300, 100, 10), many_columns_matter, True),
        ((48, 100, 100, 11), few_columns_matter, False),
    ],
    ids=["784-300-100-10 inputs go", "784-300-100-10 neurons go", "48-100-100-11"],
)
def test_pruned_prediction(widths, relevance_of, has_target):
    X, y = synthetic(widths, relevance_of)
    with one_thread():
        model, share = quarter_left(widths, X, y)
        compact = model.prune()
        support = compact.get_support(indices=True)
        X_compact = X.take(support, axis=1)
        sklearn_compact = sklearn_of_shape(compact, X_compact, y)
        np.testing.assert_array_equal(compact.predict(X), model.predict(X))
        np.testing.assert_array_equal(
            compact.predict(X), sklearn_compact.predict(X_compact)
        )

        title = (
            f"{'-'.join(map(str, widths))} pruned to "
            f"{'-'.join(str(len(W)) for W in compact.coefs_)}-{widths[-1]}, "
            f"{share:.0%} of the parameters, lam {model.lam:.2e}, float32"
        )
        missed = {}
        for method in ("predict", "predict_proba"):
            ours, dense, theirs = (
                getattr(m, method) for m in (compact, model, sklearn_compact)
            )
            for n in (N_ROWS, 1):
                rows, rows_compact = X[:n], X_compact[:n]
                fortran = np.asfortranarray(rows)
                calls = {
                    PRUNED: partial(ours, rows),
                    UNPRUNED: partial(dense, rows),
                    SKLEARN: partial(theirs, rows_compact),
                    SKLEARN_PICKS: partial(pick_and_call, theirs, rows, support),
                    PRUNED_FORTRAN: partial(ours, fortran),
                    UNPRUNED_FORTRAN: partial(dense, fortran),
                }
                times = medians(
                    {name: partial(measure, call) for name, call in calls.items()},
                    REPEATS,
                )
                judged = has_target and method == "predict" and n > 1
                missed |= report(
                    f"{title}: {method}, rows: {n}",
                    times,
                    PRUNED,
                    {UNPRUNED: 2.0, SKLEARN: 1.0} if judged else None,
                )
    assert not missed
