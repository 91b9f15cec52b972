"""What fitted estimators answer: classes, probabilities, numbers, in numpy alone."""

import numpy as np
from scipy.special import expit, log_expit, log_softmax
from sklearn.base import ClassifierMixin, RegressorMixin
from sklearn.utils.class_weight import compute_class_weight
from sklearn.utils.multiclass import check_classification_targets

from skgroupnet.estimators.tasks import Classification, Regression, is_multilabel
from skgroupnet.network import OUTPUTS


class NetworkClassifier(ClassifierMixin):
    """Classification with a network: binary, multiclass or multilabel."""

    _y_numeric = False
    # The classes decide.
    _loss = None

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags

    @property
    def _is_multilabel(self):
        return self.out_activation_ == "logistic" and self.n_outputs_ > 1

    def _make_task(self, y, go_on, classes=None):
        # Integers always are classes, known ones or not: to ask takes half a batch.
        if not (go_on and y.ndim == 1 and y.dtype.kind in "biu"):
            check_classification_targets(y)
        if go_on:
            return Classification(self.classes_, self._is_multilabel)
        if classes is None:
            return Classification.of(y)
        if is_multilabel(y):
            return Classification(np.unique(classes), multilabel=True)
        return Classification.declared(classes)

    def _training_weight(self, y, weight, task):
        """Weights of the rows times the weights of their classes."""
        if self.class_weight is None:
            return weight
        if task.multilabel:
            raise ValueError(
                "class_weight is for targets with one class per row: use sample_weight "
                "for a multilabel y."
            )
        # A batch of partial_fit need not hold all classes; "balanced" is for all data.
        balanced = self.class_weight == "balanced"
        classes = np.unique(y) if balanced else task.classes
        if not balanced:
            _check_class_weight(self.class_weight, classes.tolist())
        by_class = compute_class_weight(
            self.class_weight, classes=classes, y=y, sample_weight=weight
        )
        of_class = by_class[np.searchsorted(classes, y)]
        with np.errstate(over="ignore", under="ignore"):
            total = of_class if weight is None else of_class * weight
        if not of_class.any():
            raise ValueError(
                f"class_weight={self.class_weight!r} gives every row the weight zero."
            )
        return total

    def decision_function(self, X):
        """Compute the raw prediction, before it becomes a probability.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            The input data.

        Returns
        -------
        raw_prediction : ndarray of shape (n_samples,) or (n_samples, n_outputs)
            The log-odds of the second of two classes; otherwise one column per class
            (up to a constant per row, the log of the probability) or label (the
            log-odds).
        """
        raw = self._raw_prediction(X)
        return raw.ravel() if self.n_outputs_ == 1 else raw

    def predict(self, X):
        """Predict the class of each row.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            The input data.

        Returns
        -------
        y : ndarray of shape (n_samples,) or (n_samples, n_labels)
            The classes; for multilabel targets zeros and ones.
        """
        raw = self._raw_prediction(X)
        if self.out_activation_ == "softmax":
            return self.classes_[raw.argmax(axis=1)]
        positive = (raw > 0).astype(np.int64)
        return positive if self.n_outputs_ > 1 else self.classes_[positive.ravel()]

    def predict_proba(self, X):
        """Predict the probability of each class or label.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            The input data.

        Returns
        -------
        probability : ndarray of shape (n_samples, n_classes) or (n_samples, n_labels)
            The columns are in the order of ``classes_``. For multilabel targets the
            probability of each label.
        """
        raw = self._raw_prediction(X)
        if self.n_outputs_ == 1:
            return expit(np.hstack([-raw, raw]))
        OUTPUTS[self.out_activation_](raw)
        return raw

    @np.errstate(under="ignore")
    def predict_log_proba(self, X):
        """Predict the logarithm of the probability of each class or label.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            The input data.

        Returns
        -------
        log_probability : ndarray of shape (n_samples, n_classes) or \
                (n_samples, n_labels)
            The logarithm of `predict_proba`, accurate where that is almost zero.
        """
        raw = self._raw_prediction(X)
        if self.out_activation_ == "softmax":
            return log_softmax(raw, axis=1)
        return log_expit(raw if self.n_outputs_ > 1 else np.hstack([-raw, raw]))


def _check_class_weight(class_weight, classes):
    """Refuse weights that are none, and names of classes that there are not.

    As in scikit-learn, a class without a weight has the weight 1, and weights of
    further classes do no harm if all classes have one: a fold may lack a class.
    """
    for label, weight in class_weight.items():
        try:
            usable = 0 <= float(weight) < np.inf
        except (TypeError, ValueError):
            usable = False
        if not usable:
            raise ValueError(
                "class_weight must hold finite numbers >= 0, but the weight of class "
                f"{label!r} is {weight!r}."
            )
    left_out = [label for label in classes if label not in class_weight]
    unknown = [label for label in class_weight if label not in {*classes}]
    if left_out and unknown:
        raise ValueError(
            f"class_weight has weights for {unknown}, which are no classes, and none "
            f"for the classes {left_out}."
        )


class NetworkRegressor(RegressorMixin):
    """Regression with a network, with one or several outputs."""

    _y_numeric = True

    @property
    def _loss(self):
        return self.loss

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags

    def _make_task(self, y, go_on, classes=None):
        if go_on:
            return Regression(self._loss, self.n_outputs_)
        return Regression(self._loss, 1 if y.ndim == 1 else y.shape[1])

    def _training_weight(self, y, weight, task):
        return weight

    def predict(self, X):
        """Predict the target of each row.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            The input data.

        Returns
        -------
        y : ndarray of shape (n_samples,) or (n_samples, n_outputs)
            The predicted values.
        """
        prediction = self._raw_prediction(X)
        OUTPUTS[self.out_activation_](prediction)
        return prediction.ravel() if self.n_outputs_ == 1 else prediction
