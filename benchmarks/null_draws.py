"""Draws of the statistic when nothing is there: Kraskov's estimate of two random orders.

Shared by the scripts that make the table of the null and that hold it against fresh draws.
"""

from collections.abc import Iterator

import numpy as np

from skpar_select.kernels import mutual_information, prepare_target

VALUES_IN_BLOCK = 400_000


def kraskov_draws(
    n_samples: int, n_neighbors: int, n_draws: int, *, seed: tuple[int, ...]
) -> Iterator[np.ndarray]:
    """Yield scores in rank space of random columns, block by block, from the package's own kernel."""
    target = prepare_target(
        np.arange(float(n_samples)),
        discrete=False,
        n_neighbors=n_neighbors,
        seed=0,
        marginals="rank",
    )
    yield from _draws(target, n_samples, n_draws, seed)


def ross_draws(
    class_counts: tuple[int, ...], n_neighbors: int, n_draws: int, *, seed: tuple[int, ...]
) -> Iterator[np.ndarray]:
    """Yield scores of random columns with a target of classes of these sizes."""
    target = prepare_target(
        np.repeat(np.arange(float(len(class_counts))), class_counts),
        discrete=True,
        n_neighbors=n_neighbors,
        seed=0,
        marginals="rank",
    )
    yield from _draws(target, sum(class_counts), n_draws, seed)


def _draws(target, n_samples, n_draws, seed):
    rng = np.random.default_rng(np.random.SeedSequence(seed))
    width = max(4, min(n_draws, VALUES_IN_BLOCK // n_samples))
    for begin in range(0, n_draws, width):
        columns = np.arange(begin, min(begin + width, n_draws))
        block = rng.random((n_samples, len(columns)), dtype=np.float32)
        quantities = np.zeros(len(columns), dtype=bool)
        yield mutual_information(block, [target], columns=columns, discrete=quantities).scores[0]


class PowerSums:
    """What is kept of the draws: their number, and the sums of their first six powers.

    The mean is a standard deviation or less, so that no digit is lost that their errors leave.
    """

    def __init__(self) -> None:
        self.n_draws = 0
        self.sums = np.zeros(6)

    def add(self, scores: np.ndarray) -> None:
        power = np.ones_like(scores)
        self.n_draws += len(scores)
        for i in range(6):
            power = power * scores
            self.sums[i] += power.sum()
