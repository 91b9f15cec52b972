import numpy as np

instruction_sets: tuple[str, ...]
digest: str
plan_bytes: int
descent_bytes: int

def steps(plans: np.ndarray, first: int, stop: int, t: int, version: int) -> None: ...
def descend(plan: np.ndarray, max_passes: int, tol: float, version: int) -> int: ...
