import numpy as np

instruction_sets: tuple[str, ...]
plan_bytes: int

def steps(plans: np.ndarray, first: int, stop: int, t: int, version: int) -> None: ...
