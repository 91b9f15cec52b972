"""Promises that only a fresh interpreter can keep: prediction needs no torch."""

import json
import pickle
import subprocess
import sys

import numpy as np
import pytest
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import skgroupnet
from skgroupnet.penalties import SparseGroupLasso

PENALTIES = {
    "string": "group_lasso",
    "object": SparseGroupLasso(l1_weight=0.5),
    "none": None,
}

IMPORT = """
import json, sys
import skgroupnet
dir(skgroupnet)
print(json.dumps([*sys.modules]))
"""

CLASSES = """
import json, sys
from skgroupnet import GroupSparseMLPClassifier, Network, penalties, prune
from skgroupnet import GroupSparseMLPClassifierCV, model_selection, plotting
print(json.dumps([*sys.modules]))
"""

PREDICT = """
import json, pickle, sys
import numpy as np
with open("pipeline.pickle", "rb") as file:
    pipeline = pickle.load(file)
X = np.load("X.npy")
answer = {"predicted": pipeline.predict(X).tolist(), "text": repr(pipeline)}
answer["compact"] = pipeline[-1].prune().predict(pipeline[:-1].transform(X)).tolist()
answer["torch"] = "torch" in sys.modules
print(json.dumps(answer))
"""


def run(program, folder):
    """Run a program in a fresh interpreter and read the JSON that it prints."""
    answer = subprocess.run(
        [sys.executable, "-c", program],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert answer.returncode == 0, answer.stderr
    return json.loads(answer.stdout)


def test_the_package_alone_imports_next_to_nothing(tmp_path):
    assert not {"sklearn", "scipy", "torch"} & {*run(IMPORT, tmp_path)}


def test_the_classes_leave_out_what_training_and_drawing_need(tmp_path):
    assert not {"torch", "matplotlib"} & {*run(CLASSES, tmp_path)}


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("penalty", PENALTIES.values(), ids=PENALTIES.keys())
@pytest.mark.parametrize(
    "name", [name for name in skgroupnet.__all__ if name.startswith("GroupSparse")]
)
def test_unpickling_and_predicting_leave_torch_out(tmp_path, digits, name, penalty):
    X, y = digits[0][:200], digits[1][:200]
    estimator = getattr(skgroupnet, name)(penalty=penalty, max_iter=3)
    pipeline = make_pipeline(StandardScaler(), estimator).fit(X, y)
    (tmp_path / "pipeline.pickle").write_bytes(pickle.dumps(pipeline))
    np.save(tmp_path / "X.npy", X)

    answer = run(PREDICT, tmp_path)

    assert not answer["torch"]
    np.testing.assert_array_equal(answer["predicted"], pipeline.predict(X))
    assert len(answer["compact"]) == len(X)
    assert name in answer["text"]
