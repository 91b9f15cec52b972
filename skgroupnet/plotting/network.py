"""A network drawn: its layers, what is left of them and what was pruned."""

import numpy as np
from sklearn.utils._optional_dependencies import check_matplotlib_support
from sklearn.utils._plotting import _validate_style_kwargs

from skgroupnet.plotting.columns import (
    FONT_SIZE,
    FOOTER,
    HEADING,
    LINE_HEIGHT,
    plot_leaders,
    plot_strip,
    plot_units,
    set_horizontal_limits,
    set_vertical_limits,
    size_in_points,
    write_headings,
    write_names,
)
from skgroupnet.plotting.geometry import columns_of, share_edges, strongest_edges
from skgroupnet.plotting.style import BLUE, FAINT, PALE, VERMILION, empty_axes, lay_out
from skgroupnet.plotting.subject import (
    fitted_network,
    names_of_features,
    names_of_outputs,
)

# Narrower axes, in points, get a legend of two lines.
NARROW = 330


class NetworkDisplay:
    """Draw the layers of a network, what is left of them and what was pruned.

    Layers are columns of units, the inputs on the left. A unit that is left is dark,
    the darker the larger the norm of its outgoing weights; a pruned one is pale. Edges
    are blue for positive weights and orange for negative ones, wider and darker the
    larger the weight is among those of its matrix. A layer of many units is a strip,
    on which only those that are left are drawn, in their places; of its names only the
    strongest are written that there is room for. Use `from_estimator` to make one. All
    parameters are stored as attributes.

    Parameters
    ----------
    weights : sequence of ndarray of shape (n_left_l, n_left_{l+1})
        One matrix per layer, of the units that are left.
    active : sequence of ndarray of bool of shape (n_l,)
        Which units are left in each layer, the input first, the output apart.
    feature_names : sequence of str of length n_0
        Names of all inputs.
    output_names : sequence of str
        Names of the outputs.

    Attributes
    ----------
    ax_ : matplotlib Axes
        The axes.
    figure_ : matplotlib Figure
        The figure.
    edges_ : list of matplotlib LineCollection
        The edges of each matrix, the strongest last.
    edge_weights_ : list of ndarray of shape (n_edges,)
        The weights of these edges.
    units_ : list of matplotlib PathCollection or LineCollection
        The units of each layer: all of them or, on a strip, those that are left.
    feature_labels_ : list of matplotlib Text
        The names beside the inputs.
    output_labels_ : list of matplotlib Text
        The names beside the outputs.
    headings_ : list of matplotlib Text
        Name and size of each layer.

    See Also
    --------
    NetworkDisplay.from_estimator : Draw the network of a fitted estimator.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.preprocessing import scale
    >>> from skgroupnet import GroupSparseMLPClassifier
    >>> from skgroupnet.plotting import NetworkDisplay
    >>> X, y = load_iris(return_X_y=True)
    >>> model = GroupSparseMLPClassifier(
    ...     (8,), lam=0.01, learning_rate_init=0.02, tol=1e-3, random_state=0
    ... ).fit(scale(X), y)
    >>> display = NetworkDisplay.from_estimator(model)
    >>> [len(units.get_offsets()) for units in display.units_]
    [4, 8, 3]
    """

    def __init__(self, *, weights, active, feature_names, output_names):
        self.weights = weights
        self.active = active
        self.feature_names = feature_names
        self.output_names = output_names

    def plot(
        self,
        ax=None,
        *,
        max_units=40,
        max_edges=2000,
        unit_kwargs=None,
        edge_kwargs=None,
    ):
        """Draw the network.

        Sizes of units and type are in points and fit the axes as they are now.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Axes to draw on; their frame and ticks are hidden. None: a new figure.
        max_units : int, default=40
            A layer of more units is a strip.
        max_edges : int, default=2000
            Largest number of edges, shared out evenly among the matrices; of each, the
            strongest are drawn.
        unit_kwargs : dict, default=None
            Keywords of matplotlib's `scatter` for the layers that are not strips.
        edge_kwargs : dict, default=None
            Keywords of matplotlib's `LineCollection` for the edges.

        Returns
        -------
        self : NetworkDisplay
            The display, with what was drawn as attributes.
        """
        check_matplotlib_support(f"{type(self).__name__}.plot")
        masks = [np.asarray(mask, dtype=bool) for mask in self.active]
        masks.append(np.ones(len(self.output_names), dtype=bool))
        columns = columns_of(self.weights, masks, max_units)
        self.ax_ = ax = _canvas(ax, columns)
        self.figure_ = ax.figure
        set_vertical_limits(ax)
        inputs, leaders = write_names(ax, columns[0], self.feature_names, -1)
        outputs, more = write_names(ax, columns[-1], self.output_names, 1)
        self.feature_labels_, self.output_labels_ = inputs, outputs
        set_horizontal_limits(ax, len(columns), (inputs, outputs))
        plot_leaders(ax, leaders + more)
        self._plot_edges(columns, max_edges, edge_kwargs or {})
        self.units_ = [
            plot_strip(ax, column)
            if column.is_strip
            else plot_units(ax, column, unit_kwargs or {})
            for column in columns
        ]
        self.headings_ = write_headings(ax, columns)
        self._write_legend()
        return self

    def _plot_edges(self, columns, max_edges, kwargs):
        self.edges_, self.edge_weights_ = [], []
        shares = share_edges(self._n_weights(), max_edges)
        for column, matrix, n_edges in zip(
            columns[:-1], self.weights, shares, strict=True
        ):
            matrix = np.asarray(matrix, dtype=float)
            rows, cols = strongest_edges(matrix, n_edges)
            weights = matrix[rows, cols]
            following = columns[column.x + 1]
            starts = column.heights[column.left][rows]
            ends = following.heights[following.left][cols]
            x = np.full(len(weights), column.x)
            segments = np.stack(
                [np.stack([x, starts], axis=1), np.stack([x + 1, ends], axis=1)], axis=1
            )
            self.edges_.append(_edges(segments, weights, kwargs))
            self.edge_weights_.append(weights)
            self.ax_.add_collection(self.edges_[-1], autolim=False)

    def _n_weights(self):
        return [int(np.count_nonzero(matrix)) for matrix in self.weights]

    def _write_legend(self):
        from matplotlib.lines import Line2D

        handles = [
            Line2D([], [], color=BLUE, label="positive weight"),
            Line2D([], [], color=VERMILION, label="negative weight"),
            Line2D(
                [], [], ls="none", marker="o", mfc="white", mec=PALE, label="pruned"
            ),
        ]
        n_drawn = sum(map(len, self.edge_weights_))
        n_weights = sum(self._n_weights())
        if n_drawn < n_weights:
            note = f"strongest {n_drawn:,} of {n_weights:,}"
            handles.append(Line2D([], [], ls="none", label=note))
        if not n_weights:
            note = "nothing is left: the prediction is constant"
            handles = [handles[-1], Line2D([], [], ls="none", label=note)]
        narrow = size_in_points(self.ax_)[0] < NARROW
        self.ax_.legend(
            handles=handles,
            loc="lower center",
            ncols=2 if narrow else len(handles),
            frameon=False,
            fontsize=FONT_SIZE,
            labelcolor=FAINT,
            handlelength=1.4,
            columnspacing=1.4,
            borderaxespad=0.2,
        )

    @classmethod
    def from_estimator(
        cls,
        estimator,
        *,
        feature_names=None,
        output_names=None,
        ax=None,
        max_units=40,
        max_edges=2000,
        unit_kwargs=None,
        edge_kwargs=None,
    ):
        """Draw the network of a fitted estimator.

        Parameters
        ----------
        estimator : estimator, Pipeline or search
            A fitted estimator of this package, or a pipeline that ends in one. It may
            be pruned.
        feature_names : array-like of str of shape (n_features_in_,), default=None
            Names of the features. None: those that the estimator was fitted with or
            that the steps before it give, else "x0", "x1", and so on.
        output_names : array-like of str of shape (n_outputs_,), default=None
            Names of the outputs. None: the classes (of two, the second, whose log-odds
            the one output is), or "y", or "y0", "y1", and so on.
        ax : matplotlib Axes, default=None
            As in `plot`.
        max_units : int, default=40
            As in `plot`.
        max_edges : int, default=2000
            As in `plot`.
        unit_kwargs : dict, default=None
            As in `plot`.
        edge_kwargs : dict, default=None
            As in `plot`.

        Returns
        -------
        display : NetworkDisplay
            What was drawn.
        """
        check_matplotlib_support(f"{cls.__name__}.from_estimator")
        compact = fitted_network(estimator).prune()
        return cls(
            weights=_weights_left(compact),
            active=compact.active_neurons_,
            feature_names=names_of_features(estimator, feature_names),
            output_names=names_of_outputs(estimator, output_names),
        ).plot(
            ax,
            max_units=max_units,
            max_edges=max_edges,
            unit_kwargs=unit_kwargs,
            edge_kwargs=edge_kwargs,
        )


def _canvas(ax, columns):
    drawn = [len(column.left) for column in columns if not column.is_strip]
    height = HEADING + FOOTER + LINE_HEIGHT * (max(drawn, default=0) + 1)
    canvas = empty_axes(ax, (2.4 + 1.5 * len(columns), max(height / 72, 4.6)))
    canvas.set_axis_off()
    lay_out(canvas)
    return canvas


def _edges(segments, weights, kwargs):
    from matplotlib.collections import LineCollection
    from matplotlib.colors import to_rgba_array

    strengths = np.abs(weights) / np.abs(weights).max(initial=0)
    colors = to_rgba_array(np.where(weights > 0, BLUE, VERMILION))
    # Of many edges only the strong ones are to be seen, of a few all.
    least = np.clip(30 / max(len(weights), 1), 0.08, 0.4)
    emphasis = strengths**1.5
    colors[:, 3] = least + (0.9 - least) * emphasis
    style = {"colors": colors, "linewidths": 0.5 + 1.7 * emphasis, "zorder": 2}
    return LineCollection(segments, **_validate_style_kwargs(style, kwargs))


def _weights_left(compact):
    """Weights between the units that are left, one matrix per layer even if none is."""
    if compact.n_active_features_:
        return list(compact.coefs_)
    n_hidden = len(compact.active_neurons_) - 1
    return [np.zeros((0, 0))] * n_hidden + [np.zeros((0, compact.n_outputs_))]
