"""Partitions of the parameters that every penalty is tested on."""

from dataclasses import dataclass

import numpy as np
import pytest
import torch

from skgroupnet.penalties.groups import Block, Groups

# Runs of (rows, width, penalised) in the order of the parameters, and for every row
# the number of its group, if rows are merged.
PARTITIONS = {
    "elements": ([(7, 1, True)], None),
    "rows": ([(5, 3, True)], None),
    "layers": ([(4, 3, True), (3, 2, True), (2, 1, True), (6, 1, False)], None),
    "penalised biases": ([(4, 3, True), (3, 1, True)], None),
    "labelled rows": (
        [(3, 3, True), (6, 1, False), (4, 3, True), (3, 2, True), (5, 1, False)],
        [0, 1, 2, 3, 4, 5, 6, 7, 8, 1, 9, 0, 1, 10, 11, 12, 13, 14, 15, 16, 17],
    ),
}


@dataclass(frozen=True)
class Partition:
    """A partition twice: as the package sees it, and as plain numpy.

    ``index`` (P,) is the group of every parameter, ``penalised`` (G,) whether a group
    is; the groups are ``index``'s whatever the package makes of them.
    """

    blocks: tuple[tuple[int, int, bool], ...]
    merged: np.ndarray | None
    index: np.ndarray
    penalised: np.ndarray

    @property
    def sizes(self):
        return np.bincount(self.index)

    @property
    def weights(self):
        return np.sqrt(self.sizes * self.penalised)

    def groups(self, dtype=torch.float64, counted=None):
        blocks = [Block(*block) for block in self.blocks]
        return Groups(blocks, torch.empty(0, dtype=dtype), self.merged, counted)

    def elements(self):
        """The same parameters, each a group of its own."""
        blocks = tuple((rows * width, 1, free) for rows, width, free in self.blocks)
        return _partition(blocks, None)


def _partition(blocks, merged):
    rows = [(width, free) for n_rows, width, free in blocks for _ in range(n_rows)]
    group_of_row = np.arange(len(rows)) if merged is None else np.array(merged)
    index = np.repeat(group_of_row, [width for width, _ in rows])
    penalised = np.ones(group_of_row.max() + 1, dtype=bool)
    penalised[group_of_row] = [free for _, free in rows]
    merged = None if merged is None else np.array(merged)
    return Partition(tuple(blocks), merged, index, penalised)


@pytest.fixture(params=PARTITIONS)
def partition(request):
    """Each partition in turn."""
    return _partition(*PARTITIONS[request.param])


@pytest.fixture
def make_partition():
    """Build a partition from blocks and merged rows."""
    return _partition
