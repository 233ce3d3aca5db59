"""The targets of one stratum, prepared once, and the scores of a block in several."""

from typing import Any, NamedTuple

import numpy as np

from skpar_select._typing import Array, FloatArray, IndexArray, Marginals
from skpar_select.kernels import Scored, Target, prepare_target
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

    Attributes
    ----------
    targets : list of Target
        For the scores.
    tested : list of Target
        For the test; the very same where that asks for the same, or nothing is tested.
    codes : list of ndarray of int of shape (n_samples,) or None
        Where something is tested, the class of each sample by each target of classes.
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

        self.targets = self.tested = prepared(n_neighbors, marginals)
        if tested_by is not None and (tested_by, "rank") != (n_neighbors, marginals):
            self.tested = prepared(tested_by, "rank")
        self.codes: list[IndexArray] | None = None
        if tested_by is not None:
            self.codes = [np.unique(one, return_inverse=True)[1] for one in taken if discrete]

    def take(self, block: Any) -> Any:
        """Return what of a block, of all samples of the group, is scored in this stratum."""
        return self._stratum.take(block)


def joined(parts: list[StratumScores]) -> dict[str, FloatArray]:
    """Return scores, samples and rank correlations over all strata, each of shape (n_targets, width)."""
    scored, tested = [part.scored for part in parts], [part.tested for part in parts]
    scores = [one.scores for one in scored]
    shares = shares_of_strata(scores, scored)
    n_observed = np.asarray(sum(one.n_observed for one in scored), dtype=np.float64)
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
