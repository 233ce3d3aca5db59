"""The targets of one stratum, prepared once, and the scores of a block in several."""

from typing import Any, NamedTuple

import numpy as np

from skpar_select._typing import Array, FloatArray, IndexArray, Marginals
from skpar_select.kernels import Scored, Target, prepare_target
from skpar_select.scoring._confounders import Stratum
from skpar_select.scoring._nulls import Sides
from skpar_select.significance import mean_over_strata, shares_of_strata


class StratumScores(NamedTuple):
    """What is known of the columns of a block in one stratum."""

    scored: Scored
    """Their scores."""

    tested: Scored
    """Those of their ranks, by the neighbours of the test; the same where nothing is tested."""

    sides: Sides | None = None
    """What the null of these depends on, where they are tested."""

    n_terms: int = 1
    """How many terms were regressed out, with the constant."""


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
    n_terms : int
        The terms that are regressed out, with the constant; 1 where there are no covariates.
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
        self.n_terms = max(1, stratum.n_terms)
        self._seed = seed
        taken = [stratum.take_target(one, seed) for one in values]

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

    def take(self, block: Any, columns: IndexArray) -> Any:
        """Return what of a block, of all samples of the group, is scored in this stratum."""
        return self._stratum.take(block, columns, self._seed)


def joined(parts: list[StratumScores]) -> dict[str, FloatArray]:
    """Return scores, samples and rank correlations over all strata, each of shape (n_targets, width)."""
    scores, shares = scores_and_shares([part.scored for part in parts])
    results = {
        "score": mean_over_strata(scores, shares),
        "n_observed": n_scored(scores, [part.scored for part in parts]),
    }
    if parts[0].tested.rho is not None:
        results["rho"] = mean_over_strata(*rhos_and_shares([part.tested for part in parts]))
    return results


def n_scored(scores: FloatArray, scored: list[Scored]) -> FloatArray:
    """Return how many samples each score rests on, (n_targets, width): those of strata that have one.

    Without a score it is how many the column has.
    """
    samples = _samples(scored)
    counted = np.where(np.isnan(scores), 0.0, samples).sum(axis=0)
    return np.asarray(np.where(counted > 0, counted, samples.sum(axis=0)))


def scores_and_shares(scored: list[Scored]) -> tuple[FloatArray, FloatArray]:
    """Return the scores of strata, of shape (n_strata, n_targets, width), and their shares by samples."""
    scores = np.stack([one.scores for one in scored])
    return scores, shares_of_strata(scores, _samples(scored))


def rhos_and_shares(scored: list[Scored]) -> tuple[FloatArray, FloatArray]:
    """Return the same of the rank correlations of strata."""
    rhos = np.stack([one.rho for one in scored if one.rho is not None])
    return rhos, shares_of_strata(rhos, _samples(scored))


def _samples(scored: list[Scored]) -> FloatArray:
    return np.stack([one.n_observed[np.newaxis].astype(np.float64) for one in scored])
