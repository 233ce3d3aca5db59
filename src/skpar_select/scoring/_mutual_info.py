"""The built-in scorer: mutual information by the compiled kernel."""

from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np
from sklearn.utils import check_random_state

from skpar_select._cached import CachedProperty
from skpar_select._exact import floats_up_to_shift
from skpar_select._finite import NonFiniteError, report_non_finite
from skpar_select._stopping import stop_flag
from skpar_select._typing import (
    Array,
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
    mutual_information,
)
from skpar_select.planning import Needs
from skpar_select.scoring._confounders import Confounders, Stratum, check_sizes
from skpar_select.scoring._discrete import DiscreteFeatures
from skpar_select.scoring._independence import IndependenceTest, noise_floors
from skpar_select.scoring._nulls import Sides
from skpar_select.scoring._prepared import PreparedStratum, StratumScores, joined
from skpar_select.scoring._scorer import Scorer
from skpar_select.scoring._targets import TargetGroup, Targets

# A block costs some 0.1 ms besides its columns, of which the smallest take 0.01 ms: two workers on
# 200 x 400 values took 0.81 to 0.87 of the time that they took with 16 columns.
FEWEST_COLUMNS = 32

# Samples, and columns at a time, in which fractions are looked for: enough to meet a gene that
# one cell in a hundred has, at little beside scoring, and in half a megabyte.
_LOOKED_AT = 512, 64

# What a test knows of a column in one stratum: scores, moments and shares. Measured with 600 strata: 166.
_STRATUM_BYTES = 170


def kernel_needs(
    n_samples: int,
    dtype: np.dtype[Any],
    *,
    n_targets: int = 1,
    omits_features: bool = False,
    omits_targets: bool = False,
    correlated: bool = False,
    tested: bool = False,
    n_strata: int = 1,
    n_terms: int = 0,
) -> Needs:
    """Return what the kernel takes, whatever the values of the targets.

    `n_terms` are those that are regressed out, with the constant.
    """
    # It reads every real type, in the byte order of the machine, and all rows of a block.
    # And integers of 8 bytes become float64 where that rounds them.
    copies = omits_targets or not dtype.isnative or (dtype.kind in "iu" and dtype.itemsize == 8)
    of_strata = _STRATUM_BYTES * tested * n_targets * (n_strata if n_strata > 1 else 0)
    of_terms = 8 * n_terms * n_samples
    return Needs(
        # The test has targets of its own.
        shared_bytes=TARGET_BYTES * n_samples * n_targets * (1 + tested) + of_terms,
        # A column with gaps takes the terms of its own samples.
        worker_bytes=(SCRATCH_BYTES + MISSING_BYTES * omits_features) * n_samples
        + of_terms * omits_features,
        # The rows of a stratum, residuals, what is missing, and what is known of a column in each stratum.
        value_bytes=dtype.itemsize * (copies + (n_strata > 1))
        + 8 * (n_terms > 0)
        + tested * omits_features
        + -(-of_strata // n_samples),
        result_bytes=24 * n_targets * (1 + omits_features + correlated + 2 * tested),
        fewest_columns=FEWEST_COLUMNS,
    )


def gives_rho(task: Task, marginals: Marginals, *, tested: bool = False) -> bool:
    """Return whether there are rank correlations beside the scores: of quantities that are ranked."""
    return task == "regression" and (marginals == "rank" or tested)


class MutualInformation(Scorer):
    """Scores columns in nats against targets that are prepared once.

    `discrete` says which columns hold classes, `random_state` keys the noise that breaks ties,
    `marginals` whether quantities are scored as they are or by their ranks.
    With `min_observed` NaN is missing: a column is scored on the samples where it and the target
    are there, and its score is NaN where these are fewer than so many, or than that share.
    `test` says how p-values are taken, if at all, and `confounders` what is held fixed.
    Raises ValueError if `n_neighbors` or `min_observed` is too large for a target, or there are too few
    samples for a test.
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
        test: IndependenceTest | None = None,
        confounders: Confounders | None = None,
    ) -> None:
        self.discrete = discrete
        self._targets = targets
        self._discrete_target = task == "classification"
        self._n_neighbors = n_neighbors
        self._random_state = random_state
        self._min_observed = min_observed
        self._marginals = marginals
        self._test = test
        self._gives_rho = gives_rho(task, marginals, tested=test is not None)
        if confounders is None:
            confounders = Confounders(None, None, targets.n_samples)
        self._confounders = confounders
        self._strata = [self._confounders.strata_of(group.rows) for group in targets.groups]
        for group, strata in zip(targets.groups, self._strata, strict=True):
            self._check(group, strata)
        self._least = [least_observed(min_observed, group.n_samples) for group in targets.groups]

    @CachedProperty
    def seed(self) -> int:
        """Keys the noise."""
        return int(check_random_state(self._random_state).randint(np.iinfo(np.int32).max))

    @CachedProperty
    def prepared(self) -> list[list[PreparedStratum]]:
        """The targets of each group in its strata, prepared when they are first asked for."""
        return [
            [self._prepared(group.values, stratum, strata) for stratum in strata]
            for group, strata in zip(self._targets.groups, self._strata, strict=True)
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
            tested=self._test is not None,
            n_strata=max(len(strata) for strata in self._strata),
            n_terms=max(stratum.n_terms for strata in self._strata for stratum in strata),
        )

    def __call__(self, values: Any, columns: Index) -> Result:
        """Score a block in nats, at least 0.

        ``n_observed`` is a result where values may be missing, ``rho``, Spearman's rank
        correlation, where quantities are scored by their ranks or tested, ``log_pvalue`` and
        ``noise_floor`` where they are tested.
        """
        index = np.asarray(columns)
        results: dict[str, FloatArray] = {}
        for number, group in enumerate(self._targets.groups):
            of_group = self._score_group(number, values, index)
            for name, numbers in of_group.items():
                shape = len(index), len(self._targets)
                results.setdefault(name, np.empty(shape))[:, group.positions] = numbers.T
        if not self._targets.several:
            results = {name: numbers[:, 0] for name, numbers in results.items()}
        if self.discrete.is_doubted:
            results["has_fractions"] = _has_fractions(values)
        return results

    def _score_group(self, number: int, values: Any, index: IndexArray) -> dict[str, FloatArray]:
        """Score a block against targets of the same samples; each result is (n_targets, width)."""
        least, strata = self._least[number], self.prepared[number]
        block = self._targets.groups[number].select(values)
        # Of several strata the samples of all together count.
        fewest = least if len(strata) == 1 or least is None else 0
        try:
            parts = [self._score_stratum(stratum, block, index, fewest) for stratum in strata]
        except NonFiniteColumnError as error:
            omits = least is not None
            report_non_finite(values, index, allow_nan=omits)
            # Finite in its own type, such as a long double, it is beyond float64.
            one = np.ones(1, dtype=np.intp)
            raise NonFiniteError(index[[error.position]], 0 * one, one, omits) from error
        results = joined(parts)
        if self._test is not None:
            neighbors = self._test.neighbors(self._strata[number])
            results["log_pvalue"] = self._test.log_pvalues(
                parts, neighbors, columns=index, seed=self.seed
            )
            results["noise_floor"] = noise_floors(
                parts,
                self._n_neighbors,
                is_centered=self._marginals == "raw",
                n_features=self.discrete.n_features,
            )
        if least is None:
            del results["n_observed"]
        elif len(strata) > 1:
            lacking = results["n_observed"] < least
            for name in results.keys() - {"n_observed"}:
                results[name][lacking] = np.nan
        results["score"] = _clipped(results["score"])
        return results

    def _score_stratum(
        self, stratum: PreparedStratum, block: Any, index: IndexArray, min_observed: int | None
    ) -> StratumScores:
        """Score a block in one stratum, and once more for the test unless that asks for the same."""
        values, discrete = stratum.take(block, index), self.discrete.mask(index)
        score = partial(
            mutual_information,
            values,
            columns=index,
            discrete=discrete,
            min_observed=min_observed,
            stop=stop_flag(),
        )
        scored = score(stratum.targets)
        if stratum.codes is None:
            return StratumScores(scored, scored)
        tested = scored if stratum.tested is stratum.targets else score(stratum.tested)
        sides = Sides.of(values, discrete, stratum.codes, tested.n_observed)
        return StratumScores(scored, tested, sides, stratum.n_terms)

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
        yield "test", self._test and ("combined" if self._test.combined else "mi")
        yield "test_neighbors", self._test and self._test.n_neighbors
        yield from self._confounders.fingerprint_parts()
        yield "random_state", str(self.seed).encode()

    def _prepared(
        self, values: list[Array], stratum: Stratum, strata: list[Stratum]
    ) -> PreparedStratum:
        return PreparedStratum(
            [floats_up_to_shift(one) if stratum.n_terms else one for one in values],
            stratum,
            discrete=self._discrete_target,
            n_neighbors=self._n_neighbors,
            marginals=self._marginals,
            tested_by=None if self._test is None else self._test.neighbors(strata),
            seed=self.seed,
        )

    def _check(self, group: TargetGroup, strata: list[Stratum]) -> None:
        """Refuse samples that are too few for the neighbours, and confounders that do not fit."""
        by_distance = not (self._discrete_target and self.discrete.all())
        if self._test is not None:
            # First, as it mostly takes more neighbours.
            self._test.check(strata, by_distance=by_distance)
        if by_distance:
            check_n_neighbors(self._n_neighbors, group.n_samples)
            check_sizes(strata, self._n_neighbors, "n_neighbors")
        else:
            # Of discrete pairs no distance is taken, so that any number of neighbours will do.
            check_n_samples(group.n_samples)
        if self._confounders.has_covariates and (self._discrete_target or self.discrete.any()):
            what = "The target" if self._discrete_target else "Some columns"
            raise ValueError(
                f"{what} and covariates do not go together: classes have no residuals. Covariates are "
                "regressed out of numbers. Pass those of few values as strata, or leave the discrete columns "
                "out."
            )


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
