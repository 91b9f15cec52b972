"""Regularisation paths: score and size of a model against the penalty's strength."""

import numpy as np
from sklearn.pipeline import Pipeline
from sklearn.utils._optional_dependencies import check_matplotlib_support
from sklearn.utils._plotting import _validate_style_kwargs
from sklearn.utils.validation import check_is_fitted

from skgroupnet.plotting.style import (
    BLUE,
    GREEN,
    INK,
    PALE,
    PURPLE,
    VERMILION,
    despine,
    empty_axes,
    lay_out,
)
from skgroupnet.plotting.subject import name_of_score

# Between the two axes, as a share of the whole height.
GAP = 0.1
# Scores are left out of the axes if they are so many times farther below the best than
# three quarters of the scores are.
FAR_BELOW = 3.0
COLORS = {"neurons": BLUE, "features": GREEN, "parameters": VERMILION}
MARKERS = {"neurons": "o", "features": "s", "parameters": "^"}

LEGEND = {
    "loc": "best",
    "fontsize": "small",
    "handlelength": 1.6,
    "facecolor": "white",
    "edgecolor": "none",
    "framealpha": 0.85,
}


class RegularizationPathDisplay:
    """Draw the score and the size of models against the strength of their penalty.

    The score is drawn above, with error bars over the folds; below, the neurons,
    features and parameters that are left, in percent of those of the dense model.
    Scores far below the others and those of models of which nothing is left may lie
    outside of the axes. Use `from_path` or `from_estimator` to make one. All parameters
    are stored as attributes.

    Parameters
    ----------
    lams : array-like of shape (n_lams,)
        Strengths of the penalty.
    sizes : dict of str to array-like of shape (n_lams,) or (n_lams, n_folds)
        What is left of the models: numbers of ``"neurons"``, ``"features"`` and
        ``"parameters"``, or some of them. The mean over the folds is drawn.
    totals : dict of str to int, default=None
        The same numbers of the dense model. None: the largest of each of `sizes`.
    scores : array-like of shape (n_lams,) or (n_lams, n_folds), default=None
        Scores of the models, larger is better. With folds, the mean is drawn, and its
        standard error as error bars. None: no score is drawn.
    lam : float, default=None
        The strength that was chosen, one of `lams`.
    score_name : str, default="score"
        What the score is called.

    Attributes
    ----------
    ax_ : matplotlib Axes
        The axes that were given or made. With scores, they are only the frame in which
        ``score_ax_`` and ``size_ax_`` lie.
    figure_ : matplotlib Figure
        The figure.
    score_ax_ : matplotlib Axes or None
        Axes with the score.
    size_ax_ : matplotlib Axes
        Axes with the sizes.
    errorbar_ : matplotlib ErrorbarContainer or None
        The score, with error bars if there are folds.
    band_ : matplotlib Rectangle or None
        The scores within one standard error of the best.
    lines_ : dict of str to matplotlib Line2D
        The sizes.
    lam_lines_ : list of matplotlib Line2D
        The marks of the chosen strength, one on each axes.

    See Also
    --------
    RegularizationPathDisplay.from_path : Draw a regularisation path.
    RegularizationPathDisplay.from_estimator : Draw what cross-validation found.

    Examples
    --------
    >>> from skgroupnet.plotting import RegularizationPathDisplay
    >>> display = RegularizationPathDisplay(
    ...     lams=[0.1, 0.01, 0.001],
    ...     sizes={"features": [2, 10, 20], "parameters": [3, 11, 21]},
    ...     totals={"features": 40, "parameters": 41},
    ...     scores=[[0.7, 0.6], [0.9, 0.8], [0.9, 0.9]],
    ...     lam=0.01,
    ... ).plot()
    >>> display.lines_["features"].get_ydata()
    array([ 5., 25., 50.])
    """

    def __init__(
        self, *, lams, sizes, totals=None, scores=None, lam=None, score_name="score"
    ):
        self.lams = lams
        self.sizes = sizes
        self.totals = totals
        self.scores = scores
        self.lam = lam
        self.score_name = score_name

    def plot(self, ax=None, *, score_kwargs=None, size_kwargs=None, lam_kwargs=None):
        """Draw the path.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Axes to draw on. If there are scores, their place is divided into two axes
            that share the horizontal one. None: a new figure.
        score_kwargs : dict, default=None
            Keywords of matplotlib's `errorbar` for the score.
        size_kwargs : dict, default=None
            Keywords of matplotlib's `plot` for all sizes.
        lam_kwargs : dict, default=None
            Keywords of matplotlib's `axvline` for the chosen strength.

        Returns
        -------
        self : RegularizationPathDisplay
            The display, with what was drawn as attributes.
        """
        check_matplotlib_support(f"{type(self).__name__}.plot")
        scored = self.scores is not None
        self.ax_ = self.size_ax_ = ax = empty_axes(ax, (6.4, 5.2 if scored else 3.6))
        self.figure_ = ax.figure
        self.score_ax_ = self.errorbar_ = self.band_ = None
        if scored:
            ax.set_axis_off()
            self.size_ax_ = ax.inset_axes((0, 0, 1, 0.5 - GAP))
            self.score_ax_ = ax.inset_axes((0, 0.5, 1, 0.5), sharex=self.size_ax_)
            self._plot_score(self.score_ax_, score_kwargs or {})
        self._plot_sizes(self.size_ax_, size_kwargs or {})
        _scale_lams(self.size_ax_, np.asarray(self.lams, dtype=float))
        self._mark_lam(lam_kwargs or {})
        self._write_legends()
        return self

    def _plot_score(self, ax, kwargs):
        from matplotlib.patches import Rectangle

        means, errors = _mean_and_error(self.scores)
        style = _validate_style_kwargs(
            {"color": INK, "marker": "o", "markersize": 4, "linewidth": 1.5}, kwargs
        )
        style.setdefault("elinewidth", 1)
        self.errorbar_ = ax.errorbar(self.lams, means, yerr=errors, **style)
        ax.set_ylabel(self.score_name)
        ax.tick_params(which="both", labelbottom=False)
        despine(ax, "top", "right")
        ax.set_ylim(self._score_limits(means, 0 if errors is None else errors))
        if errors is None or not np.isfinite(means).any():
            return
        best = int(np.nanargmax(means))
        self.band_ = Rectangle(
            (0, means[best] - errors[best]),
            1,
            errors[best],
            transform=ax.get_yaxis_transform(),
            color=PALE,
            alpha=0.6,
            linewidth=0,
            zorder=0,
            label="one standard error",
        )
        ax.add_patch(self.band_)

    def _score_limits(self, means, errors):
        """Leave scores far below the others out."""
        something = np.isfinite(means)
        for counts in self.sizes.values():
            something &= np.asarray(counts).reshape(len(means), -1).min(axis=1) > 0
        if not something.any():
            return None
        best, quartile = np.quantile(means[something], [1, 0.25])
        near = something & (means >= best - FAR_BELOW * (best - quartile))
        low, high = (means - errors)[near].min(), (means + errors)[near].max()
        margin = 0.1 * (high - low) or 0.05
        return low - margin, high + margin

    def _plot_sizes(self, ax, kwargs):
        self.lines_ = {}
        for name, counts in self.sizes.items():
            counts = _mean_and_error(counts)[0]
            total = np.nanmax(counts) if self.totals is None else self.totals[name]
            style = _validate_style_kwargs(
                {
                    "color": COLORS[name],
                    "marker": MARKERS[name],
                    "markersize": 4,
                    "linewidth": 1.5,
                    "label": self._label(name, counts, total),
                },
                kwargs,
            )
            (line,) = ax.plot(self.lams, 100 * counts / max(total, 1), **style)
            self.lines_[name] = line
        ax.set_ylim(bottom=0)
        ax.set_ylabel("what is left [%]")
        despine(ax, "top", "right")

    def _label(self, name, counts, total):
        """Say what 100 % is, and how many are left in the chosen model."""
        if self.lam is None:
            return f"{name} (of {total:,.0f})"
        chosen = np.abs(np.asarray(self.lams, dtype=float) - self.lam).argmin()
        return f"{counts[chosen]:,.0f} of {total:,.0f} {name}"

    def _mark_lam(self, kwargs):
        style = {"color": PURPLE, "linestyle": "--", "linewidth": 1.2, "zorder": 1}
        self.lam_lines_ = []
        if self.lam is not None:
            style["label"] = f"chosen lam = {self.lam:.3g}"
            style = _validate_style_kwargs(style, kwargs)
            for ax in filter(None, (self.score_ax_, self.size_ax_)):
                self.lam_lines_.append(ax.axvline(self.lam, **style))

    def _write_legends(self):
        """Explain the sizes between the axes, if there is room, and lam above."""
        sizes, lam = list(self.lines_.values()), self.lam_lines_[:1]
        style = {"labelcolor": "linecolor", **LEGEND}
        if self.score_ax_ is None:
            self.size_ax_.legend(handles=sizes + lam, **style)
            return
        if above := lam + ([self.band_] if self.band_ else []):
            self.score_ax_.legend(handles=above, **LEGEND)
        between = {"loc": "lower left", "bbox_to_anchor": (0, 1), "borderaxespad": 0.1}
        legend = self.size_ax_.legend(
            handles=sizes, ncols=3, columnspacing=1.2, **style | between
        )
        lay_out(self.ax_)
        box, frame = legend.get_window_extent(), self.ax_.get_window_extent()
        if box.width > frame.width or box.height > 0.8 * GAP * frame.height:
            self.size_ax_.legend(handles=sizes, **style)

    @classmethod
    def from_path(
        cls,
        path,
        *,
        lam=None,
        score_name="score",
        ax=None,
        score_kwargs=None,
        size_kwargs=None,
        lam_kwargs=None,
    ):
        """Draw a regularisation path.

        Parameters
        ----------
        path : RegularizationPath
            What `skgroupnet.model_selection.regularization_path` returns.
        lam : float, default=None
            The strength to mark, for example that of ``path.select(...)``.
        score_name : str, default="score"
            What the scores of the path are called.
        ax : matplotlib Axes, default=None
            As in `plot`.
        score_kwargs : dict, default=None
            As in `plot`.
        size_kwargs : dict, default=None
            As in `plot`.
        lam_kwargs : dict, default=None
            As in `plot`.

        Returns
        -------
        display : RegularizationPathDisplay
            What was drawn.
        """
        check_matplotlib_support(f"{cls.__name__}.from_path")
        totals = _totals(path.estimators[0])
        sizes = {
            "neurons": path.n_active_neurons,
            "features": path.n_active_features,
            "parameters": path.n_active_parameters,
        }
        return cls(
            lams=path.lams,
            # A linear model has no neurons.
            sizes={name: sizes[name] for name in totals},
            totals=totals,
            scores=path.scores,
            lam=lam,
            score_name=score_name,
        ).plot(
            ax,
            score_kwargs=score_kwargs,
            size_kwargs=size_kwargs,
            lam_kwargs=lam_kwargs,
        )

    @classmethod
    def from_estimator(
        cls,
        estimator,
        *,
        ax=None,
        score_kwargs=None,
        size_kwargs=None,
        lam_kwargs=None,
    ):
        """Draw what cross-validation over the strengths found.

        Parameters
        ----------
        estimator : estimator
            A fitted ``GroupSparseMLPClassifierCV``, ``GroupSparseMLPRegressorCV`` or
            ``GroupSparseLogisticRegressionCV``, or a pipeline that ends in one. Without
            a refit the dense model is not known, and 100 % is the largest model of the
            path.
        ax : matplotlib Axes, default=None
            As in `plot`.
        score_kwargs : dict, default=None
            As in `plot`.
        size_kwargs : dict, default=None
            As in `plot`.
        lam_kwargs : dict, default=None
            As in `plot`.

        Returns
        -------
        display : RegularizationPathDisplay
            What was drawn.
        """
        check_matplotlib_support(f"{cls.__name__}.from_estimator")
        if isinstance(estimator, Pipeline):
            estimator = estimator[-1]
        check_is_fitted(estimator, "lams_")
        sizes = {
            "neurons": estimator.n_active_neurons_path_,
            "features": estimator.n_active_features_path_,
            "parameters": estimator.n_active_parameters_path_,
        }
        refitted = "active_neurons_" in vars(estimator)
        totals = _totals(estimator) if refitted else None
        # A linear model has no neurons.
        drawn = [name for name in sizes if np.nansum(sizes[name]) > 0]
        return cls(
            lams=estimator.lams_,
            sizes={name: sizes[name] for name in totals or drawn},
            totals=totals,
            scores=estimator.scores_,
            lam=estimator.lam_,
            score_name=name_of_score(estimator, estimator.scoring),
        ).plot(
            ax,
            score_kwargs=score_kwargs,
            size_kwargs=size_kwargs,
            lam_kwargs=lam_kwargs,
        )


def _scale_lams(ax, lams):
    """Give few labels to a short range: the axis has decades, or parts of them."""
    from matplotlib.ticker import LogLocator, NullFormatter

    ax.set_xlabel("lam")
    if lams.min() <= 0:
        ax.set_xscale("symlog", linthresh=lams.min(initial=1, where=lams > 0))
        return
    ax.set_xscale("log")
    ax.xaxis.set_minor_formatter(NullFormatter())
    n_decades = np.log10(lams.max() / lams.min())
    if n_decades < 2:
        parts = (1, 2, 5) if n_decades < 1 else (1, 3)
        ax.xaxis.set_major_locator(LogLocator(subs=parts))
        ax.xaxis.set_major_formatter("{x:g}")


def _mean_and_error(values):
    """Mean over the folds and its standard error; None if there are no two folds."""
    values = np.asarray(values, dtype=float)
    if values.ndim == 1:
        return values, None
    n_folds = values.shape[1]
    if n_folds == 1:
        return values[:, 0], None
    return values.mean(axis=1), values.std(axis=1, ddof=1) / np.sqrt(n_folds)


def _totals(estimator):
    """Numbers of neurons, features and parameters of the shape that was trained."""
    table = estimator.summary()
    (_, _, n_features), *hidden = table.layers
    neurons = {"neurons": sum(width for _, _, width in hidden)} if hidden else {}
    return neurons | {"features": n_features, "parameters": table.parameters[1]}
