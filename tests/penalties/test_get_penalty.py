"""Penalties by name, by object, and what is neither."""

import pickle

import pytest

from skgroupnet.penalties import (
    PENALTIES,
    GroupLasso,
    NoPenalty,
    Penalty,
    SparseGroupLasso,
    get_penalty,
)


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

    lacks = "lacks prox, subgradient_distance, one_step_per"
    with pytest.raises(TypeError, match=lacks):
        get_penalty(Own())


@pytest.mark.parametrize("weight", [-0.1, float("nan"), float("inf")])
def test_l1_weight_must_be_finite_and_not_negative(weight):
    with pytest.raises(ValueError, match="l1_weight must be a finite number >= 0"):
        SparseGroupLasso(weight)


def test_settings_cannot_be_changed():
    with pytest.raises(AttributeError):
        SparseGroupLasso().l1_weight = 2.0
    assert SparseGroupLasso(0.5) != SparseGroupLasso()
    assert repr(SparseGroupLasso(0.5)) == "SparseGroupLasso(l1_weight=0.5)"
