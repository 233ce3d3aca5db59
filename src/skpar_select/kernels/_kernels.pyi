from typing import Any, Literal, final

import numpy as np
from numpy.typing import NDArray

@final
class Target:
    """A target, sorted or grouped, with what every column needs of it.

    Made by `prepare_target`. It never changes, can be pickled, and may be shared by threads.

    Parameters
    ----------
    y : ndarray of shape (n_samples,), float64
        A continuous target, which is standardized and jittered, or ranked; or the numbers of the classes of a
        discrete one. It is copied.
    discrete : bool
        Whether `y` holds classes.
    digamma, log : ndarray of shape (n_samples + 1,), float64
        The functions of 0, 1, ..., n_samples; entry 0 is never used. They are copied.
    n_neighbors : int
        Number of neighbours, from 1 to n_samples - 1.
    seed : int
        Seed of the noise that breaks ties.
    ranked : bool
        Whether ranks are scored in the place of continuous values.
    """

    def __init__(
        self,
        y: NDArray[np.float64],
        discrete: bool,
        digamma: NDArray[np.float64],
        log: NDArray[np.float64],
        n_neighbors: int,
        seed: int,
        ranked: bool,
    ) -> None: ...
    @property
    def n_samples(self) -> int: ...
    @property
    def n_neighbors(self) -> int: ...
    @property
    def seed(self) -> int: ...
    @property
    def discrete(self) -> bool: ...
    @property
    def marginals(self) -> Literal["raw", "rank"]: ...
    @property
    def order(self) -> NDArray[np.int32]:
        """The samples (a copy): by value, or class by class, classes of a single sample last."""
    @property
    def values(self) -> NDArray[np.float64] | None:
        """A continuous target, ascending (a copy); None in rank space, where order has it all."""
    @property
    def class_start(self) -> NDArray[np.int32] | None:
        """The n_classes + 1 boundaries of the classes of a discrete target in `order` (a copy)."""
    @property
    def digamma(self) -> NDArray[np.float64]: ...
    @property
    def log(self) -> NDArray[np.float64]: ...

def instruction_sets() -> list[str]: ...
def instruction_set() -> str: ...
def use_instruction_set(name: str) -> None: ...

STOPPED: int

# These return the position of the first column with a value that is not allowed, or -1; or STOPPED
# where the flag was set.
def score(
    targets: tuple[Target, ...],
    block: NDArray[Any],
    discrete: NDArray[np.bool_],
    columns: NDArray[np.uint64],
    min_observed: int | None,
    scores: NDArray[np.float64],
    n_observed: NDArray[np.int64],
    rho: NDArray[np.float64] | None,
    stop: NDArray[np.bool_] | None = None,
) -> int: ...
def standardize(
    block: NDArray[Any], columns: NDArray[np.uint64], seed: int, out: NDArray[np.float64]
) -> int: ...
def ranks(
    block: NDArray[Any], columns: NDArray[np.uint64], seed: int, out: NDArray[np.int32]
) -> int: ...
