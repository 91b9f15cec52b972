"""A program: malformed sparse matrices at every door of the package, one after another.

It prints the name of each door and a JSON list of what was not refused in a sentence.
An index that gets through ends the process, or leaves its memory corrupted.
"""

import json
import sys
import warnings

import numpy as np
import scipy.sparse as sp
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MaxAbsScaler

import skgroupnet as s
from skgroupnet.model_selection import (
    BatchedGridSearchCV,
    BatchedRandomizedSearchCV,
    regularization_path,
)

FAR = 10**8
rng = np.random.RandomState(0)
D = rng.normal(size=(60, 7)) * (rng.uniform(size=(60, 7)) < 0.5)
y = np.arange(60) % 3
both = sp.csr_array(np.column_stack([y == 0, y > 0]).astype(int))


def with_index(name, value):
    X = getattr(sp, f"{name}_array")(D)
    if name == "coo":
        X.row[5] = value
    else:
        X.indices[5] = value
    return X


def with_start(name, place, value):
    X = getattr(sp, f"{name}_array")(D)
    X.indptr[place] = value
    return X


def long():
    """64-bit indices that no 32-bit integer holds."""
    X = sp.csr_array(D)
    X.indices, X.indptr = X.indices.astype(np.int64), X.indptr.astype(np.int64)
    X.indices[5] = 2**40
    return X


def short():
    X = sp.csr_array(D)
    X.indices = X.indices[:10]
    return X


MALFORMED = [
    *(with_index(name, FAR) for name in ("csr", "csc", "coo", "bsr")),
    *(with_index(name, -FAR) for name in ("csr", "csc", "coo", "bsr")),
    *(with_start("csr", *at) for at in ((0, -FAR), (3, FAR), (-1, FAR), (9, 0))),
    *(with_start("csc", *at) for at in ((0, -FAR), (3, FAR))),
    long(),
    short(),
]

X = sp.csr_array(D)
few = {"max_iter": 2, "random_state": 0}
mlp = s.GroupSparseMLPClassifier((4,), **few)
logistic = s.GroupSparseLogisticRegression(max_iter=5)
fitted = {
    "mlp": s.GroupSparseMLPClassifier((4,), **few),
    "pruned": s.GroupSparseMLPClassifier((4,), **few),
    "regressor": s.GroupSparseMLPRegressor((4,), **few),
    "logistic": s.GroupSparseLogisticRegression(max_iter=5),
    "linear": s.GroupSparseLinearRegression(max_iter=5),
}
grid = {"lam": [0.1, 0.01]}
path = regularization_path


def network(model):
    return s.Network(
        tuple(model.coefs_), tuple(model.intercepts_), "relu", model.out_activation_
    )


def doors():
    """Every way in, by name: a function of the malformed rows."""
    for name, model in fitted.items():
        yield f"fit {name}", lambda A, m=model: type(m)(max_iter=2).fit(A, y)
        answers = "predict", "decision_function", "predict_proba", "predict_log_proba"
        for answer in (a for a in answers if hasattr(model, a)):
            yield f"{answer} {name}", getattr(model, answer)
        yield f"score {name}", lambda A, m=model: m.score(A, y)
        yield f"summary {name}", model.summary
        yield f"raw {name}", network(model).raw
        yield f"network {name}", network(model).predict
        columns = np.arange(len(model.coefs_[0]))
        yield f"columns {name}", lambda A, m=model, c=columns: network(m).raw(A, c)
    yield "partial_fit", lambda A: mlp.partial_fit(A, y, classes=[0, 1, 2])
    yield "partial_fit again", lambda A: fitted["mlp"].partial_fit(A, y)
    for solver in ("fista", "admm", "adam"):
        model = s.GroupSparseLogisticRegression(solver=solver, max_iter=2)
        yield f"fit {solver}", lambda A, m=model: m.fit(A, y)
    early = s.GroupSparseMLPClassifier((4,), early_stopping=True, **few)
    yield "early", lambda A: early.fit(A, y)
    yield "X_val", lambda A: early.fit(D, y, X_val=A, y_val=y)
    for model in (mlp, logistic):
        yield "path", lambda A, m=model: path(m, A, y, lams=[0.1, 0.2])
        yield "path of 3", lambda A, m=model: path(m, A, y, lams=3)
        yield (
            "X_val of a path",
            lambda A, m=model: path(m, D, y, lams=[0.1], X_val=A, y_val=y),
        )
        yield "grid", lambda A, m=model: BatchedGridSearchCV(m, grid).fit(A, y)
        yield (
            "random",
            lambda A, m=model: BatchedRandomizedSearchCV(m, grid, n_iter=2).fit(A, y),
        )
        behind = make_pipeline(MaxAbsScaler(), model)
        name = type(model).__name__.lower()
        yield (
            "pipeline",
            lambda A, p=behind, n=name: BatchedGridSearchCV(
                p, {f"{n}__lam": [0.1, 0.01]}
            ).fit(A, y),
        )
    yield (
        "X_val of a grid",
        lambda A: BatchedGridSearchCV(early, grid).fit(D, y, X_val=A, y_val=y),
    )
    for cv in (s.GroupSparseMLPClassifierCV, s.GroupSparseLogisticRegressionCV):
        yield cv.__name__, lambda A, cv=cv: cv(lams=[0.1], max_iter=2).fit(A, y)
        model = cv(lams=[0.1], max_iter=2, cv=2).fit(X, y)
        yield f"predict {cv.__name__}", model.predict
        yield f"score {cv.__name__}", lambda A, m=model: m.score(A, y)


def doors_of_targets():
    """Every way in for a sparse target of labels."""
    yield "fit", lambda A: mlp.fit(D, A)
    yield "partial_fit", lambda A: s.GroupSparseMLPClassifier().partial_fit(D, A)
    yield "grid", lambda A: BatchedGridSearchCV(mlp, grid).fit(D, A)
    yield "CV", lambda A: s.GroupSparseMLPClassifierCV(lams=[0.1]).fit(D, A)
    yield "path", lambda A: path(logistic, D, A, lams=[0.1])


def not_refused(doors, inputs):
    """Knock at every door with every input."""
    answers = []
    for name, door in doors:
        print(name, flush=True)
        for number, A in enumerate(inputs):
            try:
                door(A)
                answers.append([name, number, "accepted"])
            except ValueError as error:
                if "is a malformed sparse matrix" not in str(error):
                    answers.append([name, number, repr(error)])
    return answers


def main():
    warnings.simplefilter("ignore")
    for name, model in fitted.items():
        model.fit(X, y)
        if name == "pruned":
            fitted[name] = model.prune()
    targets = []
    for value in (FAR, -FAR):
        A = both.copy()
        A.indices[3] = value
        targets += [A, A.tocsr(copy=True)]
    answers = not_refused(doors(), MALFORMED)
    answers += not_refused(doors_of_targets(), targets)
    print(json.dumps(answers))


if __name__ == "__main__":
    sys.exit(main())
