"""Feature importance: the norms of the groups of features, by name."""

import numpy as np
from sklearn.utils._optional_dependencies import check_matplotlib_support
from sklearn.utils._plotting import _validate_style_kwargs

from skgroupnet.estimators.feature_groups import feature_labels
from skgroupnet.plotting.style import (
    BLUE,
    FAINT,
    despine,
    empty_axes,
    lay_out,
    shortened,
)
from skgroupnet.plotting.subject import fitted_network, names_of_features

# The names beside a bar: at most so many, on at most so much of the width.
MEMBERS_SHOWN = 4
WIDEST = 0.6
# What ends the common part of the names of a group, as in "colour_red".
SEPARATORS = "_=:.-/ "
INCHES_PER_ROW = 0.27


class FeatureImportanceDisplay:
    """Draw one bar for each group of features that is left, the longest first.

    The bar of a group is as long as the norm of all outgoing weights of its features.
    Use `from_estimator` to make one. All parameters are stored as attributes.

    Parameters
    ----------
    importances : array-like of shape (n_groups,)
        Norm of each group; zero if the group is gone.
    names : sequence of str of length n_groups
        Name of each group.
    members : sequence of sequence of str, of length n_groups, default=None
        Names of the features of each group; they are written beside the bar of a
        group of more than one. None: every group is one feature.
    n_gone : int, default=None
        Number of features that are gone. None: the number of zeros in `importances`.

    Attributes
    ----------
    ax_ : matplotlib Axes
        The axes.
    figure_ : matplotlib Figure
        The figure.
    bars_ : matplotlib BarContainer
        The bars, the longest first.
    shown_ : ndarray of int of shape (n_bars,)
        Numbers of the groups that the bars stand for.
    notes_ : list of str
        The rows below the bars: how many more groups are left, and how many features
        are gone.

    See Also
    --------
    FeatureImportanceDisplay.from_estimator : Draw the features of a fitted estimator.

    Examples
    --------
    >>> from sklearn.datasets import load_breast_cancer
    >>> from sklearn.preprocessing import scale
    >>> from skgroupnet import GroupSparseLogisticRegression
    >>> from skgroupnet.plotting import FeatureImportanceDisplay
    >>> data = load_breast_cancer()
    >>> model = GroupSparseLogisticRegression(lam=0.05)
    >>> model = model.fit(scale(data.data), data.target)
    >>> display = FeatureImportanceDisplay.from_estimator(
    ...     model, feature_names=data.feature_names
    ... )
    >>> [label.get_text() for label in display.ax_.get_yticklabels()]
    ['worst radius', 'worst concave points', 'worst texture', 'mean concave points',
     '26 features gone']
    """

    def __init__(self, *, importances, names, members=None, n_gone=None):
        self.importances = importances
        self.names = names
        self.members = members
        self.n_gone = n_gone

    def plot(self, ax=None, *, max_features=20, bar_kwargs=None):
        """Draw the bars.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Axes to draw on. None: a new figure.
        max_features : int or None, default=20
            Draw at most so many groups; None: all.
        bar_kwargs : dict, default=None
            Keywords of matplotlib's `barh`.

        Returns
        -------
        self : FeatureImportanceDisplay
            The display, with what was drawn as attributes.
        """
        check_matplotlib_support(f"{type(self).__name__}.plot")
        style = _validate_style_kwargs({"color": BLUE, "height": 0.7}, bar_kwargs or {})
        # An outline shows bars that are too short to be seen: they are left, not gone.
        style.setdefault("edgecolor", style.get("facecolor", style["color"]))
        importances = np.asarray(self.importances, dtype=float)
        left = np.flatnonzero(importances)
        left = left[np.argsort(-importances[left], kind="stable")]
        self.shown_ = shown = left[:max_features]
        self.notes_ = self._notes(len(left) - len(shown))
        rows = len(shown) + len(self.notes_)
        self.ax_ = ax = empty_axes(ax, (6.4, 0.9 + INCHES_PER_ROW * max(rows, 4)))
        self.figure_ = ax.figure
        self.bars_ = ax.barh(np.arange(len(shown)), importances[shown], **style)
        labels = [shortened(self.names[group]) for group in shown] + self.notes_
        ax.set_yticks(np.arange(rows), labels=labels)
        for label in ax.get_yticklabels()[len(shown) :]:
            label.set(color=FAINT, style="italic")
        ax.set_ylim(rows - 0.4, -0.6)
        ax.set_xlim(left=0)
        if not len(shown):
            ax.set_xticks([])
        ax.tick_params(axis="y", length=0)
        ax.set_xlabel("norm of the weights")
        despine(ax, "top", "right", "left")
        self._write_members()
        return self

    def _notes(self, n_more):
        n_gone = self.n_gone
        if n_gone is None:
            n_gone = int(np.count_nonzero(np.asarray(self.importances) == 0))
        more = [f"and {n_more} more"] if n_more else []
        gone = [f"{n_gone} feature{'s' * (n_gone > 1)} gone"] if n_gone else []
        return more + gone

    def _write_members(self):
        """Name the features of each group at the end of its bar; make room for them."""
        if self.members is None:
            return
        ax, limits = self.ax_, [self.ax_.get_xlim()[1]]
        lay_out(ax)
        for row, group in enumerate(self.shown_):
            members = self.members[group]
            if len(members) < 2:
                continue
            end = self.importances[group]
            text = ax.annotate(
                _listed(members),
                (end, row),
                xytext=(4, 0),
                textcoords="offset points",
                va="center",
                color=FAINT,
                fontsize="small",
            )
            for n_shown in range(MEMBERS_SHOWN - 1, -1, -1):
                if _share_of_width(text, ax) > WIDEST:
                    text.set_text(_listed(members, n_shown))
            # From 0 to this limit, the text ends with the axes.
            limits.append(end / (1 - min(_share_of_width(text, ax), WIDEST)))
        ax.set_xlim(0, max(limits))

    @classmethod
    def from_estimator(
        cls,
        estimator,
        *,
        max_features=20,
        feature_names=None,
        ax=None,
        bar_kwargs=None,
    ):
        """Draw the features that a fitted estimator uses.

        Parameters
        ----------
        estimator : estimator, Pipeline or search
            A fitted estimator of this package, or a pipeline that ends in one. The
            features of one group of its ``groups`` share a bar. Its name is the label
            of the group if that is a string, else what the names of the features have
            in common.
        max_features : int or None, default=20
            As in `plot`.
        feature_names : array-like of str of shape (n_features_in_,), default=None
            Names of the features. None: those that the estimator was fitted with or
            that the steps before it give, else "x0", "x1", and so on.
        ax : matplotlib Axes, default=None
            As in `plot`.
        bar_kwargs : dict, default=None
            As in `plot`.

        Returns
        -------
        display : FeatureImportanceDisplay
            What was drawn.
        """
        check_matplotlib_support(f"{cls.__name__}.from_estimator")
        network = fitted_network(estimator)
        features = names_of_features(estimator, feature_names)
        strengths = network.feature_importances_
        groups = _groups_of_features(network)
        members = [features[group].tolist() for group in groups]
        display = cls(
            importances=np.array([np.linalg.norm(strengths[g]) for g in groups]),
            names=[
                _name_of_group(network.groups, group, of_group)
                for group, of_group in zip(groups, members, strict=True)
            ],
            members=members,
            n_gone=len(strengths) - network.n_active_features_,
        )
        return display.plot(ax, max_features=max_features, bar_kwargs=bar_kwargs)


def _groups_of_features(network):
    """List the column numbers of each group, in the order of their first columns."""
    n_features = network.n_features_in_
    labels = feature_labels(
        network.groups, n_features, vars(network).get("feature_names_in_")
    )
    if labels is None:
        labels = np.arange(n_features)
    # Unpenalised features have one label but are no group.
    alone = labels < 0
    labels = np.where(alone, labels.max() + 1 + np.arange(n_features), labels)
    _, first, codes = np.unique(labels, return_index=True, return_inverse=True)
    return [np.flatnonzero(codes == codes[column]) for column in np.sort(first)]


def _name_of_group(groups, columns, members):
    if len(members) == 1:
        return members[0]
    entries = list(groups)
    # A list of blocks holds no strings.
    label = entries[columns[0]] if columns[0] < len(entries) else None
    if isinstance(label, str):
        return label
    return _common_part(members) or ", ".join(members)


def _common_part(names):
    """Find what all names begin with, up to a separator; it may be empty."""
    shortest, longest = min(names), max(names)
    n_equal = 0
    while n_equal < len(shortest) and shortest[n_equal] == longest[n_equal]:
        n_equal += 1
    ends = [i + 1 for i in range(n_equal) if shortest[i] in SEPARATORS]
    return shortest[: max(ends, default=0)].rstrip(SEPARATORS)


def _share_of_width(text, ax):
    return text.get_window_extent().width / ax.get_window_extent().width + 0.03


def _listed(members, n_shown=MEMBERS_SHOWN):
    """Members of a group in few words, without what all of them begin with."""
    common = len(_common_part(members))
    short = [shortened(name[common:].lstrip(SEPARATORS) or name) for name in members]
    if len(short) <= n_shown:
        return ", ".join(short)
    if n_shown == 0:
        return f"{len(short)} features"
    return f"{', '.join(short[:n_shown])} and {len(short) - n_shown} more"
