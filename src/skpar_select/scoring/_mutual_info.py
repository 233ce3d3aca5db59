"""The built-in scorer: mutual information by the compiled kernel."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from sklearn.utils import check_random_state

from skpar_select._cached import CachedProperty
from skpar_select._exact import floats_up_to_shift
from skpar_select._finite import NonFiniteError, report_non_finite
from skpar_select._stopping import stop_flag
from skpar_select._typing import (
    Array,
    BoolArray,
    FloatArray,
    Index,
    IndexArray,
    Marginals,
    Result,
    Task,
)
from skpar_select._validation import check_n_neighbors, check_n_samples, least_observed
from skpar_select.kernels import (
    MISSING_BYTES,
    SCRATCH_BYTES,
    TARGET_BYTES,
    NonFiniteColumnError,
    Scored,
    Target,
    mutual_information,
    prepare_target,
)
from skpar_select.planning import Needs
from skpar_select.scoring._discrete import DiscreteFeatures
from skpar_select.scoring._scorer import Scorer
from skpar_select.scoring._targets import Targets

# A block costs some 0.1 ms besides its columns, of which the smallest take 0.01 ms: two workers on
# 200 x 400 values took 0.81 to 0.87 of the time that they took with 16 columns.
FEWEST_COLUMNS = 32

# Samples, and columns at a time, in which fractions are looked for: enough to meet a gene that
# one cell in a hundred has, at little beside scoring, and in half a megabyte.
_LOOKED_AT = 512, 64


def kernel_needs(
    n_samples: int,
    dtype: np.dtype[Any],
    *,
    n_targets: int = 1,
    omits_features: bool = False,
    omits_targets: bool = False,
    correlated: bool = False,
) -> Needs:
    """Return what the kernel takes, whatever the values of the targets."""
    # It reads every real type, in the byte order of the machine, and all rows of a block.
    # And integers of 8 bytes become float64 where that rounds them.
    copies = omits_targets or not dtype.isnative or (dtype.kind in "iu" and dtype.itemsize == 8)
    return Needs(
        shared_bytes=TARGET_BYTES * n_samples * n_targets,
        worker_bytes=(SCRATCH_BYTES + MISSING_BYTES * omits_features) * n_samples,
        value_bytes=dtype.itemsize * copies,
        result_bytes=24 * n_targets * (1 + omits_features + correlated),
        fewest_columns=FEWEST_COLUMNS,
    )


def gives_rho(task: Task, marginals: Marginals) -> bool:
    """Return whether there are rank correlations beside the scores: of quantities, in rank space."""
    return task == "regression" and marginals == "rank"


class MutualInformation(Scorer):
    """Scores columns in nats against targets that are prepared once.

    `discrete` says which columns hold classes, `random_state` keys the noise that breaks ties,
    `marginals` whether quantities are scored as they are or by their ranks.
    With `min_observed` NaN is missing: a column is scored on the samples where it and the target
    are there, and its score is NaN where these are fewer than so many, or than that share.
    Raises ValueError if `n_neighbors` or `min_observed` is too large for a target.
    """

    def __init__(
        self,
        targets: Targets,
        *,
        task: Task,
        discrete: DiscreteFeatures,
        n_neighbors: int,
        random_state: Any,
        min_observed: int | float | None = None,
        marginals: Marginals = "raw",
    ) -> None:
        self.discrete = discrete
        self._targets = targets
        self._discrete_target = task == "classification"
        self._n_neighbors = n_neighbors
        self._random_state = random_state
        self._min_observed = min_observed
        self._marginals = marginals
        self._gives_rho = gives_rho(task, marginals)
        for group in targets.groups:
            if self._discrete_target and discrete.all():
                # Of discrete pairs no distance is taken, so that any number of neighbours will do.
                check_n_samples(group.n_samples)
            else:
                check_n_neighbors(n_neighbors, group.n_samples)
        self._least = [least_observed(min_observed, group.n_samples) for group in targets.groups]

    @CachedProperty
    def seed(self) -> int:
        """Keys the noise."""
        return int(check_random_state(self._random_state).randint(np.iinfo(np.int32).max))

    @CachedProperty
    def prepared(self) -> list[list[Target]]:
        """The targets of each group, prepared when they are first asked for."""
        return [
            [
                prepare_target(
                    self._numbers(values),
                    discrete=self._discrete_target,
                    n_neighbors=max(1, min(self._n_neighbors, group.n_samples - 1)),
                    seed=self.seed,
                    marginals=self._marginals,
                )
                for values in group.values
            ]
            for group in self._targets.groups
        ]

    def prepare(self) -> None:
        """Draw the seed and prepare the targets."""
        self.prepared  # noqa: B018  # which keeps them

    def needs(self, n_samples: int, dtype: np.dtype[Any]) -> Needs:
        """Count the targets, the scratch of a worker, and copies of a block."""
        return kernel_needs(
            n_samples,
            dtype,
            n_targets=len(self._targets),
            omits_features=self._min_observed is not None,
            omits_targets=any(self._targets.n_missing),
            correlated=self._gives_rho,
        )

    def __call__(self, values: Any, columns: Index) -> Result:
        """Score a block in nats, at least 0.

        ``n_observed`` is a result where values may be missing, ``rho``, Spearman's rank
        correlation, where quantities are scored by their ranks.
        """
        index = np.asarray(columns)
        discrete = self.discrete.mask(index)
        results = self._joined(
            [
                self._score_group(number, values, index, discrete)
                for number in range(len(self.prepared))
            ]
        )
        if not self._targets.several:
            results = {name: numbers[:, 0] for name, numbers in results.items()}
        if self.discrete.is_doubted:
            results["has_fractions"] = _has_fractions(values)
        return results

    def _score_group(
        self, number: int, values: Any, index: IndexArray, discrete: BoolArray
    ) -> Scored:
        """Score a block against targets of the same samples."""
        least = self._least[number]
        try:
            return mutual_information(
                self._targets.groups[number].select(values),
                self.prepared[number],
                columns=index,
                discrete=discrete,
                min_observed=least,
                stop=stop_flag(),
            )
        except NonFiniteColumnError as error:
            omits = least is not None
            report_non_finite(values, index, allow_nan=omits)
            # Finite in its own type, such as a long double, it is beyond float64.
            one = np.ones(1, dtype=np.intp)
            raise NonFiniteError(index[[error.position]], 0 * one, one, omits) from error

    def _joined(self, scored: list[Scored]) -> dict[str, FloatArray]:
        """Put the results of all groups into the order of the targets."""
        shape = scored[0].scores.shape[1], len(self._targets)
        results = {"score": np.empty(shape)}
        if self._min_observed is not None:
            results["n_observed"] = np.empty(shape)
        if self._gives_rho:
            results["rho"] = np.empty(shape)
        for group, of_group in zip(self._targets.groups, scored, strict=True):
            results["score"][:, group.positions] = _clipped(of_group.scores.T)
            if self._min_observed is not None:
                results["n_observed"][:, group.positions] = of_group.n_observed[:, np.newaxis]
            if of_group.rho is not None:
                results["rho"][:, group.positions] = of_group.rho.T
        return results

    def fingerprint_parts(self) -> Iterator[tuple[str, Any]]:
        """Yield the targets, the discrete columns and the parameters."""
        yield "score", "mutual information"
        yield "task", "classification" if self._discrete_target else "regression"
        for part in self._targets.fingerprint_parts():
            yield "target", part
        for part in self.discrete.fingerprint_parts():
            yield "discrete_features", part
        yield "n_neighbors", self._n_neighbors
        yield "min_observed", self._min_observed
        yield "marginals", self._marginals
        yield "random_state", str(self.seed).encode()

    def _numbers(self, values: Array) -> Array:
        if self._discrete_target:
            return np.unique(values, return_inverse=True)[1]
        # Integers stay what they are: what float64 cannot hold is for the kernel to say.
        return values if values.dtype.kind in "iu" else floats_up_to_shift(values)


def _clipped(scores: FloatArray) -> FloatArray:
    """Set estimates below 0 to 0, as scikit-learn does; NaN stays."""
    # Of -0.0 and 0.0, which are equal, either may be the larger; a sum with 0.0 is never -0.0.
    return np.maximum(scores, 0.0) + 0.0


def _has_fractions(values: Any) -> FloatArray:
    """Return for each column of an array 1 if it holds a number that is not whole, else 0."""
    found = np.zeros(values.shape[1])
    if values.dtype.kind != "f":
        return found
    for start in range(0, values.shape[1], _LOOKED_AT[1]):
        some = slice(start, start + _LOOKED_AT[1])
        part = values[: _LOOKED_AT[0], some]
        # Not a number is missing, and no fraction.
        found[some] = ((part != np.rint(part)) & (part == part)).any(axis=0)
    return found
