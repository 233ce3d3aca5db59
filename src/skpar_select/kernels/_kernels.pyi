from typing import Any

import numpy as np
from numpy.typing import NDArray

def instruction_sets() -> list[str]: ...
def instruction_set() -> str: ...
def use_instruction_set(name: str) -> None: ...
def score_continuous(
    block: NDArray[Any],
    discrete: NDArray[np.bool_],
    first_column: int,
    seed: int,
    order: NDArray[np.int32],
    values: NDArray[np.float64],
    digamma: NDArray[np.float64],
    log: NDArray[np.float64],
    n_neighbors: int,
    scores: NDArray[np.float64],
) -> None: ...
def score_discrete(
    block: NDArray[Any],
    discrete: NDArray[np.bool_],
    first_column: int,
    seed: int,
    order: NDArray[np.int32],
    class_start: NDArray[np.int32],
    digamma: NDArray[np.float64],
    log: NDArray[np.float64],
    n_neighbors: int,
    scores: NDArray[np.float64],
) -> None: ...
def standardize(
    block: NDArray[Any], first_column: int, seed: int, out: NDArray[np.float64]
) -> None: ...
def sort(
    values: NDArray[np.float64], order: NDArray[np.int32], sorted: NDArray[np.float64]
) -> None: ...
def compress(raw: NDArray[np.uint8], out: NDArray[np.uint8]) -> None: ...
def decode_lzf(raw: NDArray[np.uint8], out: NDArray[np.uint8]) -> bool: ...
