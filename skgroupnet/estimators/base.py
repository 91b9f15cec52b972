"""The part all estimators share: validate, train on the engine, write the result."""

from contextlib import contextmanager
from dataclasses import replace
from numbers import Integral, Real

import numpy as np
from scipy.sparse import issparse
from sklearn.base import BaseEstimator
from sklearn.callback import CallbackSupportMixin
from sklearn.utils import check_random_state, column_or_1d
from sklearn.utils._param_validation import HasMethods, Interval, StrOptions
from sklearn.utils.validation import (
    _check_sample_weight,
    check_is_fitted,
    validate_data,
)

from skgroupnet._version import __version__
from skgroupnet.estimators.advice import (
    warn_about_nothing_left,
    warn_about_outcome,
)
from skgroupnet.estimators.feature_groups import feature_labels
from skgroupnet.estimators.plan import Plan, carry_out
from skgroupnet.estimators.progress import Progress
from skgroupnet.estimators.sample import (
    Given,
    Sample,
    check_nothing_masked,
    check_total,
    rows_for_training,
    take_columns,
    training_dtype,
)
from skgroupnet.estimators.sparsity import SparseNetworkMixin, sparsity_attributes
from skgroupnet.estimators.versions import check_version
from skgroupnet.network import Network
from skgroupnet.penalties import PENALTIES, get_penalty
from skgroupnet.sparse import as_csr

# What validate_data writes before the fit is known to succeed.
WRITTEN_BY_VALIDATION = ("n_features_in_", "feature_names_in_")
# What scikit-learn looks for when a fit is over, however it ended.
CLEARED_BY_SKLEARN = (
    "_callback_fit_ctx",
    "_parent_callback_ctx",
    "_skl_callbacks_to_teardown",
)


class GroupSparseEstimator(SparseNetworkMixin, CallbackSupportMixin, BaseEstimator):
    """Base class of all estimators; a final class adds ``__init__`` and its docs."""

    _parameter_constraints: dict = {
        "penalty": [
            StrOptions(set(PENALTIES)),
            HasMethods(["value", "prox", "subgradient_distance"]),
            None,
        ],
        "lam": [Interval(Real, 0, np.inf, closed="left")],
        "groups": ["array-like", None],
        "penalize_bias": ["boolean"],
        "learning_rate_init": [Interval(Real, 0, np.inf, closed="neither")],
        "batch_size": [
            StrOptions({"auto"}),
            Interval(Integral, 1, None, closed="left"),
        ],
        "max_iter": [Interval(Integral, 1, None, closed="left")],
        "tol": [Interval(Real, 0, None, closed="left")],
        "warm_start": ["boolean"],
        "random_state": ["random_state"],
        "verbose": ["verbose"],
        "device": [str],
    }

    # The first is the dtype of training, unless X has the second.
    _dtypes: tuple[type, type]
    _y_numeric: bool

    def __sklearn_is_fitted__(self):
        return "coefs_" in self.__dict__

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags

    def __getstate__(self):
        return super().__getstate__() | {"_skgroupnet_version": __version__}

    def __setstate__(self, state):
        state = dict(state)
        check_version(type(self).__name__, state.pop("_skgroupnet_version", None))
        super().__setstate__(state)
        # Unpickled arrays are writeable, and a network would copy such arrays.
        for array in (*state.get("coefs_", ()), *state.get("intercepts_", ())):
            array.flags.writeable = False

    # Prediction

    def _network(self):
        return Network(
            tuple(self.coefs_),
            tuple(self.intercepts_),
            self._hidden_activation,
            self.out_activation_,
        )

    def _inputs(self):
        """Numbers of the columns of X that the network takes; None: all."""
        return None if self._kept is None else np.flatnonzero(self._kept[0])

    def _columns(self, X):
        """Columns of validated rows that the network takes."""
        return X if self._kept is None else take_columns(X, self._inputs())

    def _raw_prediction(self, X):
        check_is_fitted(self)
        check_nothing_masked(X=X)
        X = validate_data(self, as_csr(X), accept_sparse="csr", reset=False)
        return self._network().raw(X, self._inputs())

    # Fitting

    @property
    def _solved_in_turn(self):
        """Whether models with several lam are solved each from the one before."""
        return False

    @property
    def _ends_at_max_iter(self):
        """Whether training plans to end there."""
        return False

    @property
    def _n_stages(self):
        """How many times training goes over the same ground, at most."""
        return 2 if get_penalty(self.penalty).adaptive else 1

    @contextmanager
    def _unchanged_on_error(self):
        """Be as before if the fit fails or is interrupted.

        A fit replaces attributes and changes none in place, but for the generator that
        `partial_fit` goes on with.
        """
        before = dict(self.__dict__)
        generator = before.get("_random_state")
        drawn = None if generator is None else generator.get_state()
        try:
            yield
        except BaseException:
            left = set(CLEARED_BY_SKLEARN) & set(self.__dict__)
            # At once: a second interrupt finds it before or after.
            self.__dict__ = before | {name: self.__dict__[name] for name in left}
            if generator is not None:
                generator.set_state(drawn)
            raise

    @np.errstate(under="ignore")
    def _fit(self, X, y, sample_weight, validation=None):
        """Fit to all of X; ``validation`` is the user's own held-out data, if any."""
        with self._unchanged_on_error():
            go_on = self.warm_start and self.__sklearn_is_fitted__()
            given = self._validated(X, y, sample_weight, go_on)
            plan = self._plan(given, None, validation, go_on)
            progress = self._progress(X, y, sample_weight, plan)
            (outcome,) = carry_out([plan], progress.follow)
            if outcome.fit.outcome == "interrupted" and not outcome.fit.loss_curve:
                raise KeyboardInterrupt
            self._finish(plan, outcome)
            progress.close()
            self._warn_if_unfinished(outcome.fit)
            self._warn_if_nothing_left(plan)
        return self

    def _plan(self, given, rows=None, validation=None, go_on=False, all_classes=False):
        """Plan a fit to some rows (None: all) of what was given."""
        from skgroupnet.engine import Job, check_job

        random_state = self._make_random_state()
        sample = self._sample(given, rows, go_on, all_classes=all_classes)
        if not go_on:
            given.check_scales(sample.rows)
        problem = self._problem(sample, go_on)
        start = self._starting_network(sample, go_on, random_state)
        rows, held_out = self._hold_out(sample, validation, go_on, random_state)
        model = self._model(sample, start, random_state, rows, held_out)
        job = Job(problem, model, self._training_settings())
        check_job(job)
        self._check_batch_size(len(sample.numbers if rows is None else rows))
        kept = self._kept if go_on else None
        return Plan(sample, job, self._finetuning_settings(), held_out, kept)

    def _make_random_state(self):
        """Make the generator of this fit alone, whatever it is seeded with."""
        random_state = check_random_state(self.random_state)
        if self.random_state is None:
            return np.random.RandomState(random_state.randint(2**31))
        return random_state

    def _finish(self, plan, outcome):
        """Write the result."""
        fit, task = outcome.fit, plan.sample.task
        attributes = self._network_attributes(fit.network, task, plan.kept)
        self.__dict__.update(attributes)
        self.__dict__.update(self._fit_attributes(fit))
        if outcome.gap is not None:
            self.stationarity_gap_ = outcome.gap
        # Only partial_fit needs to know how to go on; a shipped model stays small.
        self.__dict__.update(_optimizer_state=None, _random_state=None)

    def _warn_if_unfinished(self, fit):
        if fit.outcome != "max_iter" or not self._ends_at_max_iter:
            warn_about_outcome(fit.outcome, fit.n_iter, self.max_iter)

    def _validated(self, X, y, sample_weight, go_on=False, dtype=None):
        """Validate rows, targets and weights; a network goes on in its own dtype."""
        check_nothing_masked(X=X, y=y, sample_weight=sample_weight)
        # Frames and lists have no one dtype before they are converted.
        X, y = validate_data(
            self,
            as_csr(X),
            as_csr(y, "y"),
            accept_sparse="csr",
            order="C",
            dtype="numeric",
            multi_output=True,
            y_numeric=self._y_numeric,
            reset=not go_on,
        )
        if dtype is None and go_on:
            dtype = self.coefs_[0].dtype
        if dtype is None:
            dtype = training_dtype(X.dtype, *self._dtypes)
        X = rows_for_training(X, dtype)
        if y.ndim == 2 and y.shape[1] == 1:
            y = column_or_1d(y, warn=True)
        if sample_weight is None:
            return Given(X, y, None)
        weight = _check_sample_weight(
            sample_weight, X, dtype=np.float64, ensure_non_negative=True
        )
        return Given(X, y, weight)

    def _check_columns(self, X):
        """Note number and names of the columns of rows that are validated already."""
        validate_data(self, X, skip_check_array=True)

    def _bytes_in_training(self, given):
        """Bytes that one such network takes while it is trained."""
        from skgroupnet.engine import bytes_in_training

        task = self._task_of(given, None)
        widths = (given.X.shape[1], *self._hidden_widths(), task.n_outputs)
        X = given.X
        row_entries = X.nnz / X.shape[0] if issparse(X) else None
        return bytes_in_training(widths, X.dtype.itemsize, X.shape[0], row_entries)

    def _task_of(self, given, rows):
        """Make the task of some rows; fits to the same rows share it."""
        kind = type(self)._make_task, self._loss
        return given.task(lambda y: self._make_task(y, False), kind, rows)

    def _sample(self, given, rows=None, go_on=False, classes=None, all_classes=False):
        """Encode the target of some rows (None: all) of what was given.

        ``all_classes``: also classes of other rows are known.
        """
        rows = given.counting(rows)
        y, weight = given.y, given.weight
        if rows is not None:
            y, weight = y[rows], None if weight is None else weight[rows]
        if go_on or classes is not None:
            task = self._make_task(y, go_on, classes)
        else:
            task = self._task_of(given, rows)
            if all_classes:
                task = self._task_of(given, given.counting())
        X = self._columns(given.X) if go_on else given.X
        target = given.target(task, rows, X.dtype)
        training_weight = self._training_weight(y, weight, task)
        check_total(training_weight, "sample_weight times class_weight")
        if rows is not None and training_weight is not None:
            of_rows, training_weight = training_weight, np.zeros(X.shape[0])
            training_weight[rows] = of_rows
        return Sample(X, target, task, given.weight, training_weight, rows)

    def _model(self, sample, start, random_state, rows=None, held_out=None, state=None):
        from skgroupnet.engine import Model

        return Model(
            start=start,
            lam=float(self.lam),
            rate=float(self.learning_rate_init),
            random_state=random_state,
            rows=sample.rows if rows is None else rows,
            row_weight=sample.training_weight,
            score=None if held_out is None else held_out.score,
            state=state,
        )

    def _starting_network(self, sample, go_on, random_state):
        from skgroupnet.engine import LOSSES, initial_network

        hidden = self._hidden_widths()
        if not go_on:
            return initial_network(
                (sample.X.shape[1], *hidden, sample.task.n_outputs),
                self._hidden_activation,
                LOSSES[sample.task.loss].output,
                random_state,
                sample.X.dtype,
            )
        if self._trained_widths()[1:-1] != hidden:
            raise ValueError(
                "Training can only go on with the hidden layers it started with, "
                f"{self._trained_widths()[1:-1]}, but hidden_layer_sizes is {hidden}."
            )
        network = self._network()
        if self._has_intercept:
            return network
        return replace(network, biases=tuple(0 * bias for bias in network.biases))

    def _problem(self, sample, go_on):
        """State the problem; for a pruned network in terms of what it kept."""
        from skgroupnet.engine import Problem

        labels = feature_labels(
            self.groups, self.n_features_in_, self.__dict__.get("feature_names_in_")
        )
        sizes = None
        if go_on and self._kept is not None:
            sizes = self._sizes_of_groups(labels, self._kept)
            labels = None if labels is None else labels[self._kept[0]]
        return Problem(
            X=sample.X,
            y=sample.target,
            loss=sample.task.loss,
            penalty=get_penalty(self.penalty),
            labels=labels,
            penalize_bias=self.penalize_bias,
            device=self.device,
            fit_intercept=self._has_intercept,
            group_sizes=sizes,
        )

    def _sizes_of_groups(self, labels, kept):
        """Size, when training started, of the group of every row that was kept."""
        widths = self._trained_widths()
        n_members = np.ones(widths[0], dtype=np.int64)
        if labels is not None:
            grouped = labels >= 0
            n_members[grouped] = np.bincount(labels[grouped])[labels[grouped]]
        sizes = [(n_members * widths[1])[kept[0]]]
        for matrix, width in zip(self.coefs_[1:], widths[2:], strict=False):
            sizes.append(np.full(len(matrix), width))
        return tuple(sizes)

    def _progress(self, X, y, sample_weight, plan):
        task, kept = plan.sample.task, plan.kept
        metadata = None if sample_weight is None else {"sample_weight": sample_weight}
        return Progress(
            self,
            {"X": X, "y": y, "metadata": metadata},
            self._max_epochs,
            lambda network: self._network_attributes(network, task, kept),
        )

    # Writing the result

    def _network_attributes(self, network, task, kept):
        """Fitted attributes that follow from the network."""
        return {
            "coefs_": list(network.weights),
            "intercepts_": list(network.biases),
            "n_layers_": len(network.widths),
            "n_outputs_": task.n_outputs,
            "out_activation_": network.output,
            "_kept": kept,
            **task.attributes,
            **sparsity_attributes(network, kept, self.n_features_in_),
        }

    def _fit_attributes(self, fit):
        """Fitted attributes that tell how training went."""
        return {
            "n_iter_": fit.n_iter,
            "loss_curve_": list(fit.loss_curve),
            "loss_": fit.loss_curve[-1] if fit.loss_curve else np.nan,
        }

    def _warn_if_nothing_left(self, plan):
        from skgroupnet.engine import lam_max

        problem, model = plan.job.problem, plan.job.model
        if self.n_active_features_ or self.lam == 0:
            return
        weight = model.row_weight
        if model.rows is not None:
            trained_on = np.isin(np.arange(problem.X.shape[0]), model.rows)
            weight = trained_on * (1.0 if weight is None else weight)
        warn_about_nothing_left(self.lam, lam_max(problem, weight))
