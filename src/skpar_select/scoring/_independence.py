"""Tests of independence: from the scores of all strata to p-values."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from skpar_select._typing import FloatArray, IndexArray
from skpar_select._validation import check_n_neighbors
from skpar_select.kernels import Scored
from skpar_select.scoring._confounders import Stratum, check_sizes
from skpar_select.scoring._nulls import Sides
from skpar_select.scoring._prepared import (
    StratumScores,
    n_scored,
    rhos_and_shares,
    scores_and_shares,
)
from skpar_select.significance import (
    LEAST_SAMPLES,
    MOST_NEIGHBORS,
    Moments,
    log_pvalues_of_classes,
    log_pvalues_of_rho,
    log_upper_tail,
    mean_over_strata,
    moments_over_strata,
    neighbors_of_test,
    smaller_of_two,
    upper_quantile,
)


@dataclass(frozen=True)
class IndependenceTest:
    """How it is tested whether a column and a target are independent, within strata."""

    n_neighbors: int | Literal["auto"]
    """Those of the score that is tested; ``"auto"`` goes by the samples of the smallest stratum."""

    combined: bool = False
    """Whether a p-value is twice the smaller one of those of the score and of rho."""

    def neighbors(self, strata: list[Stratum]) -> int:
        """Return the number of neighbours of the test."""
        return neighbors_of_test(self.n_neighbors, min(one.n_samples for one in strata))

    def check(self, strata: list[Stratum], *, by_distance: bool) -> None:
        """Refuse samples too few to be judged or for the neighbours, and strata too small for these."""
        n_samples = sum(one.n_samples for one in strata)
        if n_samples < LEAST_SAMPLES:
            raise ValueError(
                f"p-values are asked for of {n_samples} samples. They need at least {LEAST_SAMPLES}: the null "
                "of fewer is not known. Give more samples, or leave out pvalues, fdr, fwer and fpr."
            )
        if by_distance:
            check_n_neighbors(self.neighbors(strata), n_samples, "test_neighbors")
            check_sizes(strata, self.neighbors(strata), "test_neighbors")

    def log_pvalues(
        self, parts: list[StratumScores], n_neighbors: int, *, columns: IndexArray, seed: int
    ) -> FloatArray:
        """Return the logarithms of p-values, of shape (n_targets, width).

        NaN where there is no score, or a column has fewer samples than can be judged.
        """
        tested = [part.tested for part in parts]
        sides = [part.sides for part in parts if part.sides is not None]
        scores, null = _null(tested, sides, n_neighbors)
        found = log_upper_tail(scores, null)
        if self.combined:
            found = smaller_of_two(found, _log_pvalues_of_rho(parts))
        classes = sides[0].discrete
        for position in range(len(sides[0].target_counts) if classes.any() else 0):
            found[position, classes] = log_pvalues_of_classes(
                np.stack([one.scores[position, classes] for one in tested]),
                [side.margins(position) for side in sides],
                columns=columns[classes],
                seed=seed,
            )
        n_tested = n_scored(np.stack([one.scores for one in tested]), tested)
        return np.where((n_tested < LEAST_SAMPLES) | np.isnan(scores), np.nan, found)


def noise_floors(
    parts: list[StratumScores], n_neighbors: int, *, is_centered: bool, n_features: int
) -> FloatArray:
    """Return the scores, (n_targets, width), that noise exceeds once among so many columns.

    `is_centered` says whether the scores of noise are 0 on average, as those of raw values are. Of more
    neighbours than are tabulated it is rather too high. NaN of classes on both sides.
    """
    n_neighbors = min(n_neighbors, MOST_NEIGHBORS)
    sides = [part.sides for part in parts if part.sides is not None]
    _, null = _null([part.scored for part in parts], sides, n_neighbors)
    if is_centered:
        null = null._replace(mean=0 * null.mean)
    # Scores are at least 0; of one column or two noise exceeds less.
    return np.maximum(upper_quantile(-np.log(n_features), null), 0.0)


def _null(scored: list[Scored], sides: list[Sides], n_neighbors: int) -> tuple[FloatArray, Moments]:
    """Return the scores over all strata, and their moments when nothing is there."""
    scores, shares = scores_and_shares(scored)
    moments = [side.moments(n_neighbors, scores.shape[1]) for side in sides]
    of_strata = Moments(*map(np.stack, zip(*moments, strict=True)))
    return mean_over_strata(scores, shares), moments_over_strata(scores, shares, of_strata)


def _log_pvalues_of_rho(parts: list[StratumScores]) -> FloatArray:
    """Return those of the mean rank correlation; NaN where there is none."""
    tested = [part.tested for part in parts]
    if tested[0].rho is None:
        return np.full(tested[0].scores.shape, np.nan)
    rhos, shares = rhos_and_shares(tested)
    # Of a random order the variance is 1 / (n - 1), and residuals have fewer directions to lie in: with
    # 40 covariates of 100 samples 1 / (n - 1) has 0.8 % of the columns below p = 0.001.
    free = [part.tested.n_observed[np.newaxis] - part.n_terms for part in parts]
    variance = mean_over_strata(1 / np.maximum(np.stack(free), 1), shares**2)
    return log_pvalues_of_rho(mean_over_strata(rhos, shares), variance)
