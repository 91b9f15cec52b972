"""Colours that everybody can tell apart, and axes without ornament."""

# Okabe and Ito's palette.
BLUE = "#0072B2"
VERMILION = "#D55E00"
GREEN = "#009E73"
PURPLE = "#AA4499"

INK = "#333333"
FAINT = "#767676"
PALE = "#D4D4D4"


def empty_axes(ax, figsize):
    """Take the axes of the user, or make a figure with one.

    Parameters
    ----------
    ax : matplotlib Axes or None
        The axes of the user.
    figsize : (float, float)
        Width and height in inches of the figure, if there is none yet.

    Returns
    -------
    matplotlib Axes
    """
    if ax is not None:
        return ax
    import matplotlib.pyplot as plt

    return plt.subplots(figsize=figsize, layout="constrained")[1]


def lay_out(ax):
    """Give axes the size that the layout of their figure, if it has one, leaves them.

    Parameters
    ----------
    ax : matplotlib Axes
        Axes on which something is going to be fitted.
    """
    figure = ax.figure.figure
    if figure.get_layout_engine() is not None:
        figure.get_layout_engine().execute(figure)


def despine(ax, *sides):
    """Hide spines of axes.

    Parameters
    ----------
    ax : matplotlib Axes
        The axes.
    *sides : {"left", "right", "top", "bottom"}
        The spines to hide.
    """
    ax.spines[list(sides)].set_visible(False)


def shortened(name, length=28):
    """Cut a long name.

    Parameters
    ----------
    name : str
        The name.
    length : int, default=28
        Characters that it may have.

    Returns
    -------
    str
    """
    return name if len(name) <= length else f"{name[: length - 1]}…"
