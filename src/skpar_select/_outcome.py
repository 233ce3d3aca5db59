"""What a fit leaves behind, under the names that users know it by."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from skpar_select._rules import aggregated, smallest_pvalue
from skpar_select._typing import Aggregate, BoolArray, FloatArray, IndexArray
from skpar_select.scoring import TargetFacts


class Outcome(NamedTuple):
    """The attributes of a fitted selector that its scores are and that come with them."""

    scores_: FloatArray
    pvalues_: FloatArray | None
    n_observed_: IndexArray
    rho_: FloatArray | None
    scores_by_target_: FloatArray | None
    target_names_: list[str] | None

    @classmethod
    def of(
        cls, results: Mapping[str, FloatArray], targets: TargetFacts, aggregate: Aggregate
    ) -> "Outcome":
        """Take the results of all columns: of several targets, one score for each column decides."""
        scores, pvalues, rho = results["score"], results.get("pvalue"), results.get("rho")
        n_observed = results.get("n_observed")
        if n_observed is None:
            n_observed = np.full(scores.shape, float(targets.n_samples))
        by_target = None
        if targets.several:
            by_target, n_observed = scores.T, n_observed.T
            scores = aggregated(scores, aggregate)
            pvalues = None if pvalues is None else smallest_pvalue(pvalues)
            rho = None if rho is None else rho.T
        return cls(
            scores_=scores,
            pvalues_=pvalues,
            n_observed_=n_observed.astype(np.intp),
            rho_=rho,
            scores_by_target_=by_target,
            target_names_=targets.names,
        )

    def lacking(self, targets: TargetFacts) -> BoolArray:
        """Return for each column, and target, whether a sample that has the target lacks a value."""
        n_samples = targets.n_samples - np.array(targets.n_missing)
        return np.asarray(n_samples > self.n_observed_.T)
