"""What the compiled steps are told."""

import numpy as np
import pytest
import torch

from skgroupnet.engine.plan import spans_fields
from skgroupnet.engine.stack import Layout

LABELS = [None, np.array([0, 1, 0, -1, -1, 1]), np.full(6, -1), np.zeros(6, dtype=int)]


@pytest.mark.parametrize("widths", [(6, 3, 2), (6, 1, 4, 1), (6, 1)])
@pytest.mark.parametrize("labels", LABELS)
@pytest.mark.parametrize("groups_of", ["weights", "units", "pairs", "layers"])
@pytest.mark.parametrize("penalize_bias", [False, True])
def test_spans_are_the_groups(penalize_bias, groups_of, labels, widths):
    """Runs and spans name every parameter once, each with its group."""
    if groups_of == "pairs" and labels is not None:
        pytest.skip("pairs of layers have groups of their own")
    layout = Layout(widths)
    groups = layout.groups(labels, penalize_bias, groups_of, torch.empty(1, 1))
    fields = spans_fields(groups)
    index = groups.index[0].numpy()
    found, singles = np.full(len(index), -1), np.bincount(index)[index] == 1
    for i, group in enumerate(fields["group_ids"]):
        for s in range(*fields["group_spans"][i : i + 2]):
            start = fields["span_starts"][s]
            part = slice(start, start + fields["span_lengths"][s])
            assert (found[part] == -1).all() and not singles[part].any()
            found[part] = group
    for start, length, group in zip(
        fields["run_starts"], fields["run_lengths"], fields["run_groups"], strict=True
    ):
        part = slice(start, start + length)
        assert (found[part] == -1).all() and singles[part].all()
        found[part] = np.arange(group, group + length)
    np.testing.assert_array_equal(found, index)
    assert len(fields["group_ids"]) == fields["n_groups"]
    assert (np.diff(fields["group_ids"]) > 0).all()
