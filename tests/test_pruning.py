"""Pruning: the same predictions from fewer units, to a fixed point, and back again."""

import dataclasses
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from skgroupnet.network import ACTIVATIONS, OUTPUTS, Network
from skgroupnet.pruning import Pruned, prune, scatter

TOLERANCE = {"float32": 1e-5, "float64": 1e-12}
DTYPES = sorted(TOLERANCE)

# What is zero in a layer, and how often. A network that is zero in many ways at once is
# usually all zero, so that most layers get their zeros in one way only.
WAYS = ["none", "rows", "columns", "columns", "weights", "rows and columns", "all"]
RATES = [0.1, 0.2, 0.2, 0.3, 0.4, 0.6, 1.0]
WIDTHS = [5, 6, 7, 8, 4, 3, 2, 1]


@st.composite
def sparse_networks(draw, dtype):
    """Networks of depth 0 to 4 with any pattern of zeros of both signs."""
    depth = draw(st.integers(0, 4))
    widths = draw(st.tuples(*[st.sampled_from(WIDTHS)] * (depth + 2)))
    activation = draw(st.sampled_from(sorted(ACTIVATIONS)))
    output = draw(st.sampled_from(sorted(OUTPUTS)))
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    weights, biases = [], []
    for fan_in, fan_out in pairwise(widths):
        way, (rate, bias_rate) = random.choice(WAYS), random.choice(RATES, size=2)
        weight = random.normal(size=(fan_in, fan_out)) / np.sqrt(fan_in)
        zero = np.zeros(weight.shape, dtype=bool)
        if "rows" in way or way == "all":
            zero |= random.random((fan_in, 1)) < rate
        if "columns" in way or way == "all":
            zero |= random.random((1, fan_out)) < rate
        if way in ("weights", "all"):
            zero |= random.random(weight.shape) < rate
        weight[zero] = random.choice([0.0, -0.0], size=zero.sum())
        bias = random.normal(size=fan_out) * (random.random(fan_out) >= bias_rate)
        weights.append(weight.astype(dtype))
        biases.append(bias.astype(dtype))
    return Network(tuple(weights), tuple(biases), activation, output)


def network_of(*weights, biases=None, activation="relu", dtype="float64"):
    weights = [np.array(weight, dtype=dtype) for weight in weights]
    if biases is None:
        biases = [np.linspace(0.5, 1.5, weight.shape[1]) for weight in weights]
    biases = [np.array(bias, dtype=dtype) for bias in biases]
    return Network(tuple(weights), tuple(biases), activation, "identity")


def random_rows(network, n_rows=17):
    return np.random.default_rng(0).normal(size=(n_rows, network.widths[0]))


def arrays_of(network):
    return *network.weights, *network.biases


def assert_same_raw(network, other, X, other_X):
    raw, other_raw = network.raw(X), other.raw(other_X)
    assert raw.dtype == other_raw.dtype
    largest = max(1, np.abs(raw).max())
    atol = TOLERANCE[str(network.dtype)] * largest
    assert_allclose(other_raw, raw, rtol=0, atol=atol)


def assert_bitwise_same(network, other):
    assert network.widths == other.widths
    assert (network.activation, network.output) == (other.activation, other.output)
    for array, expected in zip(arrays_of(network), arrays_of(other), strict=True):
        assert array.dtype == expected.dtype
        assert array.tobytes() == expected.tobytes()


def masks_one_unit_at_a_time(network):
    """Drop one unit after the other until none has a zero row or a zero column."""
    weights = [weight.copy() for weight in network.weights]
    kept = [np.ones(width, dtype=bool) for width in network.widths[:-1]]
    changed = True
    while changed:
        changed = False
        for layer, mask in enumerate(kept):
            for unit in np.flatnonzero(mask):
                unread = not weights[layer][unit].any()
                constant = layer > 0 and not weights[layer - 1][:, unit].any()
                if unread or constant:
                    weights[layer][unit] = 0
                    if layer > 0:
                        weights[layer - 1][:, unit] = 0
                    mask[unit] = False
                    changed = True
    return kept


def check_everything(network):
    before = [array.tobytes() for array in arrays_of(network)]
    X = random_rows(network)
    pruned = prune(network)
    assert isinstance(pruned, Pruned)
    compact, kept = pruned.network, pruned.kept

    expected = masks_one_unit_at_a_time(network)
    assert len(kept) == len(expected)
    for mask, expected_mask in zip(kept, expected, strict=True):
        assert mask.dtype == bool
        assert_array_equal(mask, expected_mask)
    left = tuple(int(mask.sum()) for mask in kept)
    n_outputs = network.widths[-1]
    assert compact.widths == ((*left, n_outputs) if all(left) else (0, n_outputs))
    assert all(left) or not any(left)
    assert (compact.activation, compact.output) == (network.activation, network.output)

    assert_same_raw(network, compact, X, X[:, kept[0]])

    again = prune(compact)
    assert_bitwise_same(again.network, compact)
    assert all(mask.all() for mask in again.kept)

    full = scatter(compact, kept, network.widths)
    assert full.widths == network.widths
    assert full.n_parameters == compact.n_parameters
    assert_same_raw(network, full, X, X)
    assert_same_raw(compact, full, X[:, kept[0]], X)
    again = prune(full).network
    for array, expected in zip(arrays_of(again), arrays_of(compact), strict=True):
        assert_array_equal(array, expected)

    after = [array.tobytes() for array in arrays_of(network)]
    assert before == after


@pytest.mark.parametrize("dtype", DTYPES)
def test_pruning_any_network(dtype):
    @settings(max_examples=500, derandomize=True, deadline=None, database=None)
    @given(sparse_networks(dtype))
    def check(network):
        check_everything(network)

    check()


def test_the_random_networks_are_of_every_kind():
    kinds = {"whole": 0, "emptied": 0, "compact": 0, "folded": 0}

    @settings(max_examples=500, derandomize=True, deadline=None, database=None)
    @given(sparse_networks("float64"))
    def count(network):
        pruned = prune(network)
        n_left = sum(int(mask.sum()) for mask in pruned.kept)
        kinds["whole"] += pruned.network is network
        kinds["emptied"] += n_left == 0
        kinds["compact"] += 0 < n_left < sum(network.widths[:-1])
        kinds["folded"] += n_left > 0 and any(
            (weight == 0).all(axis=0).any() for weight in network.weights[:-1]
        )

    count()
    assert min(kinds.values()) >= 40, kinds


# One way of being zero at a time


def test_an_unread_unit_goes_whatever_its_bias():
    network = network_of([[1, 2], [3, 4]], [[1], [0]], biases=[[1, 7], [2]])
    check_everything(network)
    pruned = prune(network)
    assert_array_equal(pruned.kept[0], [True, True])
    assert_array_equal(pruned.kept[1], [True, False])
    assert_array_equal(pruned.network.weights[0], [[1], [3]])
    assert_array_equal(pruned.network.biases[0], [1])
    assert_array_equal(pruned.network.biases[1], [2])


@pytest.mark.parametrize(
    ("activation", "value"),
    [
        ("relu", 0),
        ("relu2", 0),
        ("tanh", np.tanh(-1)),
        ("logistic", 1 / (1 + np.e)),
        ("identity", -1),
    ],
)
def test_a_constant_unit_is_folded(activation, value):
    network = network_of(
        [[1, 0], [3, -0.0]],
        [[1, 5], [2, 3]],
        biases=[[1, -1], [2, 4]],
        activation=activation,
    )
    check_everything(network)
    pruned = prune(network)
    assert_array_equal(pruned.kept[1], [True, False])
    assert_allclose(
        pruned.network.biases[1], [2 + 2 * value, 4 + 3 * value], rtol=1e-15
    )


def test_a_logistic_unit_that_is_all_zero_is_one_half():
    network = network_of(
        [[1, 0]], [[1], [3]], biases=[[1, 0], [2]], activation="logistic"
    )
    check_everything(network)
    assert_array_equal(prune(network).network.biases[1], [3.5])


def test_constants_are_folded_through_several_layers():
    chain = [[1, 0], [0, 3]]
    network = network_of([[1, 0]], chain, chain, [[1], [2]], activation="tanh")
    check_everything(network)
    bias = 1.5
    for _ in range(2):
        bias = 1.5 + 3 * np.tanh(bias)
    pruned = prune(network)
    assert pruned.network.widths == (1, 1, 1, 1, 1)
    assert_allclose(pruned.network.biases[-1], [0.5 + 2 * np.tanh(bias)], rtol=1e-15)


def test_constants_are_added_up_in_float64():
    # In float32, 1e8 + 1 - 1e8 is 0.
    network = network_of(
        [[1, 0, 0, 0]],
        [[1], [1e8], [1], [-1e8]],
        biases=[[0, 1, 1, 1], [0]],
        activation="identity",
        dtype="float32",
    )
    assert_array_equal(prune(network).network.biases[1], [1])


def test_a_constant_chain_is_not_rounded_to_float32_between_layers():
    network = network_of(
        [[1, 0]],
        [[1, 0], [0, 1e-4]],
        [[1], [1]],
        biases=[[0, 1], [0, 1e4], [-1e4]],
        activation="identity",
        dtype="float32",
    )
    pruned = prune(network)
    assert_allclose(pruned.network.biases[-1], [1e-4], rtol=1e-6)


def test_a_unit_that_feeds_only_unread_units_goes():
    network = network_of(
        np.ones((3, 2)), [[0, 1], [1, 1]], [[0, 0], [1, 1]], [[1], [1]]
    )
    check_everything(network)
    network = network_of(np.ones((3, 2)), [[0, 1], [1, 1]], [[1], [0]])
    check_everything(network)
    assert [mask.tolist() for mask in prune(network).kept[1:]] == [
        [False, True],
        [True, False],
    ]


def test_an_input_goes_when_all_units_it_feeds_go():
    network = network_of([[1, 0], [0, 1]], [[0], [1]])
    assert_array_equal(prune(network).kept[0], [False, True])


def test_weights_that_are_not_zero_stay():
    for size in (1, 5e-324):
        network = network_of([[size, 0], [0, size]], [[size, 0], [0, size]])
        check_everything(network)
        assert prune(network).network is network


# Nothing left

ONES = np.ones((3, 3))
ZEROS = np.zeros((3, 3))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize(
    "weights",
    [
        [ZEROS],
        [-ZEROS],
        [ONES, ZEROS],
        [ZEROS, ONES],
        [ZEROS, ZEROS],
        [ONES, ZEROS, ONES],
        [ZEROS, ONES, ONES],
        [ONES, ONES, ZEROS],
        [np.diag([1, 0, 0]), np.diag([0, 1, 0]), ONES],
    ],
)
def test_an_emptied_network_is_its_folded_bias(weights, activation, dtype):
    network = network_of(*weights, activation=activation, dtype=dtype)
    check_everything(network)
    pruned = prune(network)
    assert pruned.network.widths == (0, 3)
    assert len(pruned.kept) == len(weights)
    assert not any(mask.any() for mask in pruned.kept)
    X = random_rows(network)
    assert_allclose(
        pruned.network.biases[0],
        network.raw(X)[0],
        rtol=1e-14 if dtype == "float64" else 1e-6,
    )
    full = scatter(pruned.network, pruned.kept, network.widths)
    assert full.n_parameters == 3
    assert_array_equal(full.raw(X), pruned.network.raw(X[:, :0]))


def test_networks_that_are_empty_from_the_start():
    for shapes in [[(0, 2)], [(0, 3), (3, 2)], [(3, 0), (0, 2)], [(0, 0), (0, 2)]]:
        network = network_of(*[np.ones(shape) for shape in shapes])
        check_everything(network)
        assert prune(network).network.widths == (0, 2)


def test_a_bias_of_minus_zero_survives():
    network = network_of(np.ones((0, 1)), biases=[[-0.0]])
    assert np.signbit(prune(network).network.biases[0][0])


# Depth 0


def test_a_linear_network_loses_inputs_only():
    network = network_of([[0, 0, 1], [0, -0.0, 0], [0, 2, 3]])
    check_everything(network)
    pruned = prune(network)
    assert_array_equal(pruned.kept[0], [True, False, True])
    assert_array_equal(pruned.network.weights[0], [[0, 0, 1], [0, 2, 3]])
    assert_array_equal(pruned.network.biases[0], network.biases[0])


# The result


def test_the_result_cannot_be_changed():
    pruned = prune(network_of([[1, 0], [0, 1]], [[0], [1]]))
    with pytest.raises(dataclasses.FrozenInstanceError):
        pruned.kept = ()
    for array in (*pruned.kept, *arrays_of(pruned.network)):
        assert not array.flags.writeable


def test_layers_are_pruned_without_a_loop_over_units():
    random = np.random.default_rng(0)
    weights = [random.normal(size=(500, 500)) for _ in range(4)]
    for weight in weights:
        weight[random.random(500) < 0.7] = 0
    network = network_of(*weights, activation="tanh")
    pruned = prune(network)
    assert 100 < pruned.kept[1].sum() < 200


# Scatter


def test_scatter_takes_a_trained_compact_network():
    network = network_of(
        [[1, 0], [0, 0], [0, 1]], [[1, 2], [0, 0]], activation="logistic"
    )
    pruned = prune(network)
    assert pruned.network.widths == (1, 1, 2)
    trained = Network(
        tuple(2 * weight for weight in pruned.network.weights),
        tuple(bias - 1 for bias in pruned.network.biases),
        "logistic",
        "identity",
    )
    full = scatter(trained, pruned.kept, network.widths)
    X = random_rows(network)
    assert_same_raw(trained, full, X[:, pruned.kept[0]], X)
    assert_array_equal(full.weights[0], [[2, 0], [0, 0], [0, 0]])
    assert_array_equal(full.biases[0], [network.biases[0][0] - 1, 0])


@pytest.mark.parametrize(
    ("kept", "widths", "message"),
    [
        ([], (2,), "the widths (2,), but the shapes of its masks are []."),
        ([[1, 1]], (2, 2, 1), "(2, 2, 1), but the shapes of its masks are [(2,)]."),
        ([[1, 1], [1]], (2, 2, 1), "the shapes of its masks are [(2,), (1,)]."),
        ([[1, 0], [1, 1]], (2, 2, 1), "widths (1, 2, 1), but got one of widths (2, 2"),
        ([[1, 1], [1, 1]], (2, 2, 3), "widths (2, 2, 3), but got one of widths (2, 2"),
        ([[0, 0], [0, 0]], (2, 2, 1), "widths (0, 1), but got one of widths (2, 2, 1)"),
    ],
)
def test_refused_masks(kept, widths, message):
    network = network_of(np.ones((2, 2)), np.ones((2, 1)))
    with pytest.raises(ValueError) as error:
        scatter(network, kept, widths)
    assert message in str(error.value)
