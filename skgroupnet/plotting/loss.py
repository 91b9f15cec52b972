"""Loss curves: how the objective fell, and the score on held-out rows with it."""

import numpy as np
from sklearn.utils._optional_dependencies import check_matplotlib_support
from sklearn.utils._plotting import _validate_style_kwargs

from skgroupnet.plotting.style import BLUE, FAINT, VERMILION, despine, empty_axes
from skgroupnet.plotting.subject import fitted_network, name_of_score

# Solvers of the linear models that take one step over all rows at a time.
FULL_BATCH = ("auto", "fista")
# The objective is drawn on a log scale if it falls by more than this factor.
LARGE_FALL = 10.0


class LossCurveDisplay:
    """Draw the objective of every epoch, and the score on held-out rows.

    Use `from_estimator` to make one. All parameters are stored as attributes.

    Parameters
    ----------
    loss_curve : array-like of shape (n_iter,)
        Objective of each epoch.
    validation_scores : array-like of shape (n_iter,), default=None
        Score on held-out rows after each epoch.
    finetune_start : int, default=None
        Number of epochs after which fine-tuning without the penalty began.
    score_name : str, default="score"
        What the score is called.
    step_name : str, default="epoch"
        What an epoch is called.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Axes with the objective.
    figure_ : matplotlib Figure
        The figure.
    line_ : matplotlib Line2D
        The objective.
    score_ax_ : matplotlib Axes or None
        Axes with the score, on the right side of the others.
    score_line_ : matplotlib Line2D or None
        The score.
    best_score_ : matplotlib Line2D or None
        The mark on the best score.
    finetune_line_ : matplotlib Line2D or None
        The line where fine-tuning began.

    See Also
    --------
    LossCurveDisplay.from_estimator : Draw the curves of a fitted estimator.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.preprocessing import scale
    >>> from skgroupnet import GroupSparseLogisticRegression
    >>> from skgroupnet.plotting import LossCurveDisplay
    >>> X, y = load_iris(return_X_y=True)
    >>> model = GroupSparseLogisticRegression(lam=0.01).fit(scale(X), y)
    >>> display = LossCurveDisplay.from_estimator(model)
    >>> len(display.line_.get_ydata()) == model.n_iter_
    True
    """

    def __init__(
        self,
        *,
        loss_curve,
        validation_scores=None,
        finetune_start=None,
        score_name="score",
        step_name="epoch",
    ):
        self.loss_curve = loss_curve
        self.validation_scores = validation_scores
        self.finetune_start = finetune_start
        self.score_name = score_name
        self.step_name = step_name

    def plot(self, ax=None, *, log_scale="auto", line_kwargs=None, score_kwargs=None):
        """Draw the curves.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Axes to draw on; the score gets a second scale on their right side. None:
            a new figure.
        log_scale : bool or "auto", default="auto"
            Whether the objective is on a log scale; "auto": if it is positive and its
            largest value is more than 10 times its smallest.
        line_kwargs : dict, default=None
            Keywords of matplotlib's `plot` for the objective.
        score_kwargs : dict, default=None
            Keywords of matplotlib's `plot` for the score.

        Returns
        -------
        self : LossCurveDisplay
            The display, with what was drawn as attributes.
        """
        check_matplotlib_support(f"{type(self).__name__}.plot")
        loss = np.asarray(self.loss_curve, dtype=float)
        epochs = np.arange(1, len(loss) + 1)
        style = _validate_style_kwargs(
            {"color": BLUE, "label": "objective", **_marker(epochs)}, line_kwargs or {}
        )
        self.ax_ = ax = empty_axes(ax, (6.4, 4.0))
        self.figure_ = ax.figure
        (self.line_,) = ax.plot(epochs, loss, **style)
        if _falls_far(loss) if log_scale == "auto" else log_scale:
            ax.set_yscale("log")
        ax.set_xlabel(self.step_name)
        ax.set_ylabel("objective", color=self.line_.get_color())
        ax.xaxis.get_major_locator().set_params(integer=True)
        despine(ax, "top", "right")
        self.finetune_line_ = None
        if self.finetune_start is not None:
            self._mark_finetuning()
        self.score_ax_ = self.score_line_ = self.best_score_ = None
        if self.validation_scores is not None:
            self._plot_scores(epochs, score_kwargs or {})
        return self

    def _mark_finetuning(self):
        start = self.finetune_start + 0.5
        self.finetune_line_ = self.ax_.axvline(start, color=FAINT, lw=0.8, ls="--")
        self.ax_.annotate(
            "fine-tuning",
            (start, 1),
            xycoords=("data", "axes fraction"),
            xytext=(3, -2),
            textcoords="offset points",
            color=FAINT,
            fontsize="small",
            rotation=90,
            va="top",
        )

    def _plot_scores(self, epochs, kwargs):
        scores = np.asarray(self.validation_scores, dtype=float)
        style = _validate_style_kwargs(
            {"color": VERMILION, "label": self.score_name, **_marker(epochs)}, kwargs
        )
        self.score_ax_ = ax = self.ax_.twinx()
        (self.score_line_,) = ax.plot(epochs, scores, **style)
        color = self.score_line_.get_color()
        ax.set_ylabel(f"{self.score_name} on held-out rows", color=color)
        despine(ax, "top", "left")
        if not np.isfinite(scores).any():
            return
        best = int(np.nanargmax(scores))
        (self.best_score_,) = ax.plot(
            epochs[best], scores[best], "o", color=color, mfc="white", ms=7, mew=1.5
        )
        ax.margins(y=0.1)
        ax.annotate(
            f"best {scores[best]:.3f}",
            (epochs[best], scores[best]),
            xytext=(0, 7),
            textcoords="offset points",
            color=color,
            fontsize="small",
            # Away from the sides.
            ha=("left", "center", "right")[int(3 * (best + 0.5) / len(scores))],
            va="bottom",
        )

    @classmethod
    def from_estimator(
        cls,
        estimator,
        *,
        ax=None,
        log_scale="auto",
        line_kwargs=None,
        score_kwargs=None,
    ):
        """Draw the curves of a fitted estimator.

        Parameters
        ----------
        estimator : estimator, Pipeline or search
            A fitted estimator of this package, or a pipeline that ends in one.
        ax : matplotlib Axes, default=None
            As in `plot`.
        log_scale : bool or "auto", default="auto"
            As in `plot`.
        line_kwargs : dict, default=None
            As in `plot`.
        score_kwargs : dict, default=None
            As in `plot`.

        Returns
        -------
        display : LossCurveDisplay
            What was drawn, with a mark where fine-tuning began.

        Raises
        ------
        ValueError
            If training was interrupted before the end of its first epoch.
        """
        check_matplotlib_support(f"{cls.__name__}.from_estimator")
        network = fitted_network(estimator)
        if not len(network.loss_curve_):
            raise ValueError(
                f"There is no loss curve to draw: the training of this "
                f"{type(network).__name__} ended before its first epoch did."
            )
        display = cls(
            loss_curve=network.loss_curve_,
            validation_scores=vars(network).get("validation_scores_"),
            finetune_start=_finetune_start(network),
            score_name=name_of_score(network),
            step_name="iteration" if network.solver in FULL_BATCH else "epoch",
        )
        return display.plot(
            ax,
            log_scale=log_scale,
            line_kwargs=line_kwargs,
            score_kwargs=score_kwargs,
        )


def _falls_far(loss):
    finite = loss[np.isfinite(loss)]
    return len(finite) > 0 and finite.max() > LARGE_FALL * finite.min() > 0


def _marker(epochs):
    """Show the points of a short curve, of one epoch above all."""
    return {"marker": "o", "markersize": 4} if len(epochs) <= 10 else {}


def _finetune_start(network):
    """Count the epochs before fine-tuning; None: there was none."""
    n_tuned = vars(network).get("n_finetune_iter_", 0)
    return len(network.loss_curve_) - n_tuned if n_tuned else None
