"""The columns of a drawn network, sized in points: units, strips, names, headings."""

import numpy as np
from sklearn.utils._plotting import _validate_style_kwargs

from skgroupnet.plotting.geometry import label_heights
from skgroupnet.plotting.style import FAINT, INK, PALE, shortened

# Lengths in points. The type, the room that a line of it takes, the room above and
# below the layers:
FONT_SIZE, LINE_HEIGHT, HEADING, FOOTER = 8.0, 9.5, 32.0, 36.0
# Diameters of units, width of a strip, from a unit to its name and to a moved name:
LARGEST_UNIT, SMALLEST_UNIT, STRIP, NEAR, FAR = 13.0, 2.5, 9.0, 10.0, 26.0


def size_in_points(ax):
    """Measure axes.

    Parameters
    ----------
    ax : matplotlib Axes
        The axes.

    Returns
    -------
    ndarray of shape (2,)
        Width and height.
    """
    box = ax.get_window_extent()
    return 72 / ax.figure.dpi * np.array([box.width, box.height])


def points_per_unit(ax):
    """Measure how long a unit of the data is.

    Parameters
    ----------
    ax : matplotlib Axes
        Axes whose limits are set.

    Returns
    -------
    ndarray of shape (2,)
        Horizontally and vertically.
    """
    return size_in_points(ax) / [np.ptp(ax.get_xlim()), np.ptp(ax.get_ylim())]


def set_vertical_limits(ax):
    """Leave room for the headings and the legend; the layers stand between 0 and 1.

    Parameters
    ----------
    ax : matplotlib Axes
        The axes.
    """
    height = max(size_in_points(ax)[1] - HEADING - FOOTER, 3 * LINE_HEIGHT)
    ax.set_ylim(-FOOTER / height, 1 + HEADING / height)


def set_horizontal_limits(ax, n_columns, names):
    """Leave room for the names.

    Parameters
    ----------
    ax : matplotlib Axes
        The axes.
    n_columns : int
        Number of columns; they stand at 0, 1, and so on.
    names : (list of matplotlib Text, list of matplotlib Text)
        The names on the left and on the right.
    """
    width = size_in_points(ax)[0]
    margins = []
    for texts in names:
        lengths = [
            abs(text.xyann[0]) + text.get_window_extent().width * 72 / ax.figure.dpi
            for text in texts
        ]
        margins.append(max(lengths, default=0.0) + FONT_SIZE)
    # In narrow axes long names run out on the sides: a third is for the network.
    unit = max(width - sum(margins), width / 3) / (n_columns - 1)
    left = margins[0] / unit
    ax.set_xlim(-left, width / unit - left)


def named_units(column, n_lines):
    """Choose the units to name: all, or those that are left, the strongest first.

    Parameters
    ----------
    column : Column
        The layer.
    n_lines : int
        Number of names that there is room for.

    Returns
    -------
    ndarray of int of shape (n_names,)
        In their order.
    """
    if len(column.left) <= n_lines and not column.is_strip:
        return np.arange(len(column.left))
    left = np.flatnonzero(column.left)
    return np.sort(left[np.argsort(-column.strengths, kind="stable")[:n_lines]])


def write_names(ax, column, names, side):
    """Name the units of the first or the last layer.

    Parameters
    ----------
    ax : matplotlib Axes
        Axes whose vertical limits are set.
    column : Column
        The layer.
    names : sequence of str
        Names of all its units.
    side : {-1, 1}
        Whether to write on the left or on the right.

    Returns
    -------
    texts : list of matplotlib Text
        The names, from top to bottom.
    leaders : list of (int, float, float, int)
        Lines from units to names that had to move: the place of the column, the height
        of the unit, the height of the name, and the side.
    """
    line = LINE_HEIGHT / points_per_unit(ax)[1]
    units = named_units(column, int(1 / line))
    heights = column.heights[units]
    moved = label_heights(heights, line)
    far = not np.allclose(moved, heights, atol=line / 10)
    texts = [
        ax.annotate(
            shortened(names[unit], 24),
            (column.x, height),
            xytext=(side * (FAR if far else NEAR), 0),
            textcoords="offset points",
            # The limits, outside of which it would be empty, are not set yet.
            annotation_clip=False,
            ha="left" if side > 0 else "right",
            va="center",
            fontsize=FONT_SIZE,
            color=INK if column.left[unit] else FAINT,
            alpha=1 if column.left[unit] else 0.7,
        )
        for unit, height in zip(units, moved, strict=True)
    ]
    ends = zip(heights, moved, strict=True)
    return texts, [(column.x, *end, side) for end in ends] if far else []


def plot_leaders(ax, leaders):
    """Draw lines from units to the names that had to move.

    Parameters
    ----------
    ax : matplotlib Axes
        Axes whose limits are set.
    leaders : list of (int, float, float, int)
        From `write_names`.
    """
    from matplotlib.collections import LineCollection

    point = 1 / points_per_unit(ax)[0]
    segments = [
        [
            (x + side * STRIP * point / 2, unit),
            (x + side * (FAR - 2) * point, name),
        ]
        for x, unit, name, side in leaders
    ]
    ax.add_collection(
        LineCollection(segments, colors=FAINT, linewidths=0.5, alpha=0.6), autolim=False
    )


def plot_units(ax, column, kwargs):
    """Draw all units of a layer.

    Parameters
    ----------
    ax : matplotlib Axes
        Axes whose limits are set.
    column : Column
        The layer.
    kwargs : dict
        Keywords of `scatter`.

    Returns
    -------
    matplotlib PathCollection
    """
    spacing = abs(np.diff(column.heights[:2]).sum()) * points_per_unit(ax)[1]
    diameter = LARGEST_UNIT
    if len(column.left) > 1:
        diameter = np.clip(0.62 * spacing, SMALLEST_UNIT, LARGEST_UNIT)
    faces = np.ones((len(column.left), 4))
    faces[column.left] = shades(column.strengths)
    edges = np.where(column.left, INK, PALE)
    style = {"s": diameter**2, "facecolor": faces, "edgecolor": edges, "zorder": 4}
    style = _validate_style_kwargs(style | {"linewidth": 0.8}, kwargs)
    x = np.full(len(column.left), column.x)
    return ax.scatter(x, column.heights, **style)


def plot_strip(ax, column):
    """Draw a layer of many units as a strip with a line for each that is left.

    Parameters
    ----------
    ax : matplotlib Axes
        Axes whose limits are set.
    column : Column
        The layer.

    Returns
    -------
    matplotlib LineCollection
    """
    from matplotlib.collections import LineCollection
    from matplotlib.patches import Rectangle

    point = 1 / points_per_unit(ax)
    half, end = STRIP / 2 * point[0], 2 * point[1]
    ax.add_patch(
        Rectangle(
            (column.x - half, -end),
            2 * half,
            1 + 2 * end,
            facecolor="#EFEFEF",
            edgecolor=PALE,
            linewidth=0.8,
            zorder=3,
        )
    )
    heights = column.heights[column.left]
    segments = [[(column.x - half, y), (column.x + half, y)] for y in heights]
    thickness = np.clip(0.7 / point[1] / len(column.left), 0.8, SMALLEST_UNIT)
    units = LineCollection(
        segments, colors=shades(column.strengths), linewidths=thickness, zorder=4
    )
    return ax.add_collection(units, autolim=False)


def shades(strengths):
    """Colour units, the stronger the darker.

    Parameters
    ----------
    strengths : ndarray of shape (n_units,)
        Numbers from 0 to 1.

    Returns
    -------
    ndarray of shape (n_units, 4)
        Red, green, blue and opacity.
    """
    grey = 0.75 - 0.6 * np.asarray(strengths, dtype=float)
    return np.stack([grey, grey, grey, np.ones_like(grey)], axis=1)


def write_headings(ax, columns):
    """Name the layers and count their units, in type that fits between the columns.

    Parameters
    ----------
    ax : matplotlib Axes
        Axes whose limits are set.
    columns : list of Column
        The layers.

    Returns
    -------
    list of matplotlib Text
    """
    texts = [_heading(column) for column in columns[:-1]]
    texts.append(f"output\n{len(columns[-1].left)}")
    longest = max(len(line) for text in texts for line in text.split("\n"))
    size = min(FONT_SIZE + 1, 1.6 * points_per_unit(ax)[0] / longest)
    return [
        ax.annotate(
            text,
            (column.x, 1),
            xytext=(0, 8),
            textcoords="offset points",
            ha="center",
            va="bottom",
            fontsize=size,
            color=INK,
        )
        for column, text in zip(columns, texts, strict=True)
    ]


def _heading(column):
    name = f"hidden {column.x}" if column.x else "input"
    return f"{name}\n{column.left.sum():,} of {len(column.left):,}"
