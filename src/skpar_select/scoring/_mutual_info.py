"""The built-in scorer: mutual information by the compiled kernel."""

from collections.abc import Iterator
from functools import cached_property
from typing import Any

import numpy as np
from sklearn.utils import check_random_state

from skpar_select._finite import NonFiniteError, report_non_finite
from skpar_select._typing import Index, Result, Task
from skpar_select._validation import check_n_neighbors, check_n_samples, check_target
from skpar_select.kernels import (
    SCRATCH_BYTES,
    TARGET_BYTES,
    NonFiniteColumnError,
    Target,
    mutual_information,
    prepare_target,
)
from skpar_select.planning import Needs
from skpar_select.scoring._discrete import DiscreteFeatures
from skpar_select.scoring._scorer import Scorer

# A block costs some 0.1 ms besides its columns, of which the smallest take 0.01 ms: two workers on
# 200 x 400 values took 0.81 to 0.87 of the time that they took with 16 columns.
FEWEST_COLUMNS = 32


def kernel_needs(n_samples: int, dtype: np.dtype[Any]) -> Needs:
    """Return what the kernel takes, whatever the target."""
    return Needs(
        shared_bytes=TARGET_BYTES * n_samples,
        worker_bytes=SCRATCH_BYTES * n_samples,
        # The kernel reads every real type, in the byte order of the machine.
        value_bytes=0 if dtype.isnative else dtype.itemsize,
        fewest_columns=FEWEST_COLUMNS,
    )


class MutualInformation(Scorer):
    """Scores columns in nats against a target that is prepared once.

    `discrete` says which columns hold classes, `random_state` keys the noise that breaks ties.
    Raises ValueError if the target or `n_neighbors` breaks a rule.
    """

    def __init__(
        self,
        y: Any,
        n_samples: int,
        *,
        task: Task,
        discrete: DiscreteFeatures,
        n_neighbors: int,
        random_state: Any,
    ) -> None:
        target = check_target(y, n_samples, task=task)
        discrete_target = task == "classification"
        if discrete_target and discrete.all():
            # Of discrete pairs no distance is taken, so that any number of neighbours will do.
            check_n_samples(n_samples)
        else:
            check_n_neighbors(n_neighbors, n_samples)
        self.discrete = discrete
        self._discrete_target = discrete_target
        self._values = (
            np.unique(target, return_inverse=True)[1]
            if discrete_target
            else target.astype(np.float64)
        )
        self._n_neighbors = n_neighbors
        self._random_state = random_state

    @cached_property
    def seed(self) -> int:
        """Keys the noise."""
        return int(check_random_state(self._random_state).randint(np.iinfo(np.int32).max))

    @cached_property
    def target(self) -> Target:
        """The target, prepared when it is first asked for."""
        n_samples = len(self._values)
        return prepare_target(
            self._values,
            discrete=self._discrete_target,
            n_neighbors=max(1, min(self._n_neighbors, n_samples - 1)),
            seed=self.seed,
        )

    def prepare(self) -> None:
        """Draw the seed and prepare the target."""
        self.target  # noqa: B018  # which keeps it

    def needs(self, n_samples: int, dtype: np.dtype[Any]) -> Needs:
        """Count the target, and the scratch of a worker."""
        return kernel_needs(n_samples, dtype)

    def __call__(self, values: Any, columns: Index) -> Result:
        """Score a block in nats."""
        index = np.asarray(columns)
        discrete = self.discrete.mask(index)
        try:
            scores, _ = mutual_information(values, [self.target], columns=index, discrete=discrete)
        except NonFiniteColumnError as error:
            report_non_finite(values, columns)
            # Finite in its own type, such as a long double, it is beyond float64.
            one = np.ones(1, dtype=np.intp)
            raise NonFiniteError(index[[error.position]], 0 * one, one) from error
        return {"score": scores[0]}

    def fingerprint_parts(self) -> Iterator[Any]:
        """Yield the target, the discrete columns and the parameters."""
        yield "mutual information"
        yield from (self._values, self._discrete_target, self._n_neighbors)
        # None asks for any noise: kept scores of any other will do.
        yield None if self._random_state is None else self.seed
        yield from self.discrete.fingerprint_parts()
