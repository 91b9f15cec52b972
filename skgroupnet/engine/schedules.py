"""Learning-rate schedules: the factor on the initial rate in each epoch."""

from __future__ import annotations

import math

from skgroupnet.engine.problem import Settings


def factor(settings: Settings, epoch: int, seen: int) -> float:
    """Factor on the initial learning rate.

    Parameters
    ----------
    settings : Settings
        Names the schedule: "constant" and "adaptive" (lowered by the stopping rule):
        1; "invscaling": (1 + rows seen)^-power_t, as in scikit-learn; "cosine":
        (1 + cos(pi epoch / max_iter)) / 2, and 0 from max_iter on.
    epoch : int
        Epochs done before this one.
    seen : int
        Rows seen before this epoch.

    Returns
    -------
    float
        The factor.
    """
    if settings.learning_rate == "invscaling":
        return float(1 + seen) ** -settings.power_t
    if settings.learning_rate == "cosine":
        return (1 + math.cos(math.pi * min(epoch / settings.max_iter, 1))) / 2
    return 1.0
