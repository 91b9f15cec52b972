"""Penalties by name, by object, and what is neither."""

import pickle
from dataclasses import fields

import pytest

from skgroupnet.penalties import (
    PENALTIES,
    GroupLasso,
    NoPenalty,
    Penalty,
    SparseGroupLasso,
    get_penalty,
)
from skgroupnet.penalties.base import NormPenalty


@pytest.mark.parametrize("name", PENALTIES)
def test_name_gives_an_object_with_default_settings(name):
    penalty = get_penalty(name)
    assert type(penalty) is PENALTIES[name]
    assert penalty == PENALTIES[name]()
    assert get_penalty(penalty) is penalty
    assert pickle.loads(pickle.dumps(penalty)) == penalty


def test_none_is_no_penalty():
    assert get_penalty(None) == NoPenalty() == get_penalty("none")


def test_unknown_name_lists_the_known_ones():
    with pytest.raises(ValueError, match="'group_lass'") as error:
        get_penalty("group_lass")
    for name in PENALTIES:
        assert repr(name) in str(error.value)


@pytest.mark.parametrize("wrong", [GroupLasso, 3.0, ["l1"], object(), True])
def test_anything_else_is_a_type_error(wrong):
    with pytest.raises(TypeError, match="penalty must be None, a string or a penalty"):
        get_penalty(wrong)


def test_an_object_that_follows_the_protocol_is_a_penalty():
    class Own(Penalty):
        def value(self, W, groups, lam): ...

        def prox(self, W, groups, step, lam, out=None): ...

        def subgradient_distance(self, W, grad, groups, lam): ...

    own = Own()
    assert get_penalty(own) is own
    assert (own.groups_of, own.one_step_per) == ("units", "group")


def test_what_an_object_lacks_is_told():
    class Own:
        groups_of = "weights"
        prox = None

        def value(self, W, groups, lam): ...

    lacks = "lacks prox, subgradient_distance, weak_convexity, one_step_per"
    with pytest.raises(TypeError, match=lacks):
        get_penalty(Own())


NAN, INFINITE = float("nan"), float("inf")


@pytest.mark.parametrize(
    ("name", "setting", "expected", "wrong"),
    [
        ("sparse_group_lasso", "l1_weight", ">= 0", [-0.1]),
        ("elastic_net", "l1_ratio", "from 0 to 1", [-0.1, 1.1]),
        ("group_elastic_net", "l1_ratio", "from 0 to 1", [-0.1, 1.1]),
        ("mcp", "gamma", "> 1", [1.0, -2.0]),
        ("group_mcp", "gamma", "> 1", [1.0]),
        ("scad", "a", "> 2", [2.0]),
        ("group_scad", "a", "> 2", [2.0]),
        ("capped_l1", "theta", "> 0", [0.0]),
        ("group_capped_l1", "theta", "> 0", [0.0]),
        ("transformed_l1", "a", "> 0", [0.0]),
        ("group_transformed_l1", "a", "> 0", [0.0]),
        ("log", "eps", "> 0", [0.0]),
        ("group_log", "eps", "> 0", [0.0]),
        ("l1_minus_l2", "alpha", "from 0 to 1", [-0.1, 1.1]),
        ("adaptive_group_lasso", "gamma", "> 0", [0.0]),
    ],
)
def test_settings_are_checked(name, setting, expected, wrong):
    told = f"{setting} must be a finite number {expected}, got"
    for value in (*wrong, NAN, INFINITE):
        with pytest.raises(ValueError, match=told):
            PENALTIES[name](**{setting: value})


def test_every_setting_is_checked():
    checked = test_settings_are_checked.pytestmark[0].args[1]
    settings = {(n, f.name) for n, cls in PENALTIES.items() for f in fields(cls)}
    assert settings == {(name, setting) for name, setting, _, _ in checked}


def test_settings_cannot_be_changed():
    with pytest.raises(AttributeError):
        SparseGroupLasso().l1_weight = 2.0
    assert SparseGroupLasso(0.5) != SparseGroupLasso()
    assert repr(SparseGroupLasso(0.5)) == "SparseGroupLasso(l1_weight=0.5)"


@pytest.mark.parametrize("forgotten", ["value", "prox", "subgradient_distance"])
def test_a_penalty_that_forgets_a_method_cannot_be_made(forgotten):
    methods = {"value", "prox", "subgradient_distance"} - {forgotten}
    kind = type("Own", (Penalty,), dict.fromkeys(methods, lambda *_: None))
    with pytest.raises(TypeError, match=f"abstract method '?{forgotten}"):
        kind()


@pytest.mark.parametrize("forgotten", ["profile", "shrink", "slope"])
def test_a_penalty_of_norms_that_forgets_a_function_cannot_be_made(forgotten):
    methods = {"profile", "shrink", "slope"} - {forgotten}
    kind = type("Own", (NormPenalty,), dict.fromkeys(methods, lambda *_: None))
    with pytest.raises(TypeError, match=f"abstract method '?{forgotten}"):
        kind()
