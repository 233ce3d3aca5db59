"""The targets of one stratum, prepared once, and what they make of a block."""

from functools import partial
from typing import Any, NamedTuple

import numpy as np

from skpar_select._stopping import stop_flag
from skpar_select._typing import Array, BoolArray, FloatArray, IndexArray, Marginals
from skpar_select.kernels import Scored, Target, mutual_information, prepare_target
from skpar_select.scoring._confounders import Stratum
from skpar_select.scoring._nulls import Sides


class StratumScores(NamedTuple):
    """What is known of the columns of a block in one stratum."""

    scored: Scored
    """Their scores."""

    tested: Scored
    """Those of their ranks, by the neighbours of the test; the same where nothing is tested."""

    sides: Sides | None
    """What the null of these depends on, where they are tested."""


class PreparedStratum:
    """Targets of the same samples, prepared for scoring, and for testing where `tested_by` is a number.

    Parameters
    ----------
    values : list of ndarray of shape (n_rows,)
        The targets, of all samples of the group.
    stratum : Stratum
        Which of these are scored, and what is regressed out.
    discrete : bool
        Whether the targets are classes.
    n_neighbors : int
    marginals : {"raw", "rank"}
    tested_by : int or None
        The neighbours of the test, which ranks quantities.
    seed : int
        Keys the noise.
    """

    def __init__(
        self,
        values: list[Array],
        stratum: Stratum,
        *,
        discrete: bool,
        n_neighbors: int,
        marginals: Marginals,
        tested_by: int | None,
        seed: int,
    ) -> None:
        self._stratum = stratum
        taken = [stratum.take(one) for one in values]

        def prepared(k: int, of: Marginals) -> list[Target]:
            k = max(1, min(k, stratum.n_samples - 1))
            options: dict[str, Any] = {"discrete": discrete, "n_neighbors": k, "seed": seed}
            return [prepare_target(one, marginals=of, **options) for one in taken]

        self._targets = prepared(n_neighbors, marginals)
        self._tested = self._targets
        self._is_tested = tested_by is not None
        if tested_by is not None and (tested_by, "rank") != (n_neighbors, marginals):
            self._tested = prepared(tested_by, "rank")
        self._codes: list[IndexArray] = []
        if discrete and self._is_tested:
            self._codes = [np.unique(one, return_inverse=True)[1] for one in taken]

    def score(
        self, block: Any, columns: IndexArray, discrete: BoolArray, min_observed: int | None
    ) -> StratumScores:
        """Score the columns of a block, of all samples of the group, in this stratum."""
        values = self._stratum.take(block)
        score = partial(
            mutual_information,
            values,
            columns=columns,
            discrete=discrete,
            min_observed=min_observed,
            stop=stop_flag(),
        )
        scored = score(self._targets)
        if not self._is_tested:
            return StratumScores(scored, scored, None)
        tested = scored if self._tested is self._targets else score(self._tested)
        sides = Sides.of(values, discrete, self._codes, tested.n_observed)
        return StratumScores(scored, tested, sides)


def joined(parts: list[StratumScores]) -> dict[str, FloatArray]:
    """Return scores, samples and rank correlations over all strata, each of shape (n_targets, width)."""
    scored, tested = [part.scored for part in parts], [part.tested for part in parts]
    scores = [one.scores for one in scored]
    shares = shares_of_strata(scores, scored)
    n_observed = np.sum([one.n_observed for one in scored], axis=0, dtype=np.float64)
    results = {
        "score": over_strata(scores, shares),
        "n_observed": np.repeat(n_observed[np.newaxis], len(scores[0]), axis=0),
    }
    rhos = [one.rho for one in tested if one.rho is not None]
    if rhos:
        results["rho"] = over_strata(rhos, shares_of_strata(rhos, tested))
    return results


def over_strata(values: list[FloatArray], shares: FloatArray) -> FloatArray:
    """Return the mean of what each stratum gave, (n_targets, width), weighted by `shares`; NaN of none."""
    if len(values) == 1:
        return values[0]
    total = np.zeros(values[0].shape)
    for one, share in zip(values, shares, strict=True):
        total += np.where(share > 0, share * one, 0)
    return np.where(shares.any(axis=0), total, np.nan)


def shares_of_strata(values: list[FloatArray], scored: list[Scored]) -> FloatArray:
    """Return which part of a column's samples each stratum has: (n_strata, n_targets, width).

    A stratum that gave NaN, as a column has too few samples there, has none.
    """
    counted = np.stack(
        [~np.isnan(value) * one.n_observed for value, one in zip(values, scored, strict=True)]
    )
    return np.asarray(counted / np.maximum(counted.sum(axis=0), 1))
