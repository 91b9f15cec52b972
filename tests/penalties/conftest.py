"""Partitions of the parameters that every penalty is tested on."""

from dataclasses import dataclass

import numpy as np
import pytest
import torch

from skgroupnet.penalties.groups import Block, Groups

# Runs of (rows, width, penalised, layer) in the order of the parameters, and for every
# row the number of its group, if rows are merged. The last layer are the biases.
PARTITIONS = {
    "elements": ([(7, 1, True, 0)], None),
    "rows": ([(5, 3, True, 0)], None),
    "layers": (
        [(4, 3, True, 0), (3, 2, True, 1), (2, 1, True, 2), (6, 1, False, 3)],
        None,
    ),
    "penalised biases": ([(4, 3, True, 0), (3, 1, True, 1)], None),
    "labelled rows": (
        [
            (3, 3, True, 0),
            (6, 1, False, 0),
            (4, 3, True, 0),
            (3, 2, True, 1),
            (5, 1, False, 2),
        ],
        [0, 1, 2, 3, 4, 5, 6, 7, 8, 1, 9, 0, 1, 10, 11, 12, 13, 14, 15, 16, 17],
    ),
}


@dataclass(frozen=True)
class Partition:
    """A partition twice: as the package sees it, and as plain numpy.

    ``index`` (P,) is the group of every parameter, ``penalised`` (G,) whether a group
    is, ``layer`` (G,) where it lies, ``bound`` (G,) whether it is a column of the first
    matrix of a pair; the groups are ``index``'s whatever the package makes of them.
    """

    blocks: tuple[tuple[int, int, bool, int], ...]
    merged: np.ndarray | None
    index: np.ndarray
    penalised: np.ndarray
    layer: np.ndarray
    bound: np.ndarray

    @property
    def sizes(self):
        return np.bincount(self.index)

    @property
    def weights(self):
        return np.sqrt(self.sizes * self.penalised)

    def groups(self, dtype=torch.float64, counted=None):
        blocks = [Block(*block) for block in self.blocks]
        return Groups(blocks, torch.empty(0, dtype=dtype), self.merged, counted)

    def of(self, groups_of):
        """The same parameters in the groups that a penalty asks for."""
        return {
            "units": lambda: self,
            "weights": self.elements,
            "pairs": self.pairs,
        }[groups_of]()

    def elements(self):
        """The same parameters, each a group of its own."""
        blocks = [
            (rows * width, 1, free, layer) for rows, width, free, layer in self.blocks
        ]
        return _partition(blocks, None)

    def pairs(self):
        """The same parameters, columns of the first and rows of the second matrix."""
        blocks, merged, columns = [], [], {}
        last, n_groups = self.layer.max(), 0
        for rows, width, free, layer in self.blocks:
            if free and layer % 2 == 0 and layer + 1 < last:
                if layer not in columns:
                    columns[layer] = n_groups + np.arange(width)
                    n_groups += width
                merged += [*columns[layer]] * rows
                rows, width = rows * width, 1
            else:
                merged += [*(n_groups + np.arange(rows))]
                n_groups += rows
            blocks.append((rows, width, free, layer))
        return _partition(blocks, merged, np.concatenate([*columns.values(), []]))

    def parts(self, row):
        """The penalised groups of a network, layer by layer."""
        return [
            [
                row[self.index == group]
                for group in np.flatnonzero(self.penalised & (self.layer == layer))
            ]
            for layer in range(self.layer.max() + 1)
        ]


def _partition(blocks, merged, bound=()):
    blocks = [(*block, 0)[:4] for block in blocks]
    rows = [tuple(rest) for n_rows, *rest in blocks for _ in range(n_rows)]
    group_of_row = np.arange(len(rows)) if merged is None else np.array(merged)
    index = np.repeat(group_of_row, [width for width, _, _ in rows])
    n_groups = group_of_row.max() + 1
    penalised, layers = np.ones(n_groups, dtype=bool), np.zeros(n_groups, dtype=int)
    penalised[group_of_row] = [free for _, free, _ in rows]
    layers[group_of_row] = [layer for _, _, layer in rows]
    merged = None if merged is None else np.array(merged)
    is_bound = np.isin(np.arange(n_groups), bound)
    return Partition(tuple(blocks), merged, index, penalised, layers, is_bound)


@pytest.fixture(params=PARTITIONS)
def partition(request):
    """Each partition in turn."""
    return _partition(*PARTITIONS[request.param])


@pytest.fixture
def make_partition():
    """Build a partition from blocks and merged rows."""
    return _partition
