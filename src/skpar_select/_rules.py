"""Rules that turn scores into a mask. Ties and NaN are settled here, once.

A score that is NaN ranks below every number and is never above a threshold. Of tied scores at
the border of the best `k` the highest column index wins, and at the border of a percentile the
lowest, as in scikit-learn's SelectKBest and SelectPercentile. Rates of errors are kept as SelectFdr, SelectFwe
and SelectFpr keep them, on logarithms, which do not underflow; a column without a p-value is no test.
"""

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np

from skpar_select._typing import Aggregate, BoolArray, FdrMethod, FloatArray
from skpar_select.significance import log_qvalues

DEFAULT_K = 10

# Of sums of logarithms: q-values of permutations are often exactly at the rate that is asked for.
_ROUNDING = 1e-12


def aggregated(scores: FloatArray, aggregate: Aggregate) -> FloatArray:
    """Join the scores for several targets, (n_features, n_targets), into those that decide."""
    known = ~np.isnan(scores)
    if aggregate == "max":
        joined = np.where(known, scores, -np.inf).max(axis=1)
    else:
        joined = np.where(known, scores, 0).sum(axis=1) / np.maximum(known.sum(axis=1), 1)
    return np.where(known.any(axis=1), joined, np.nan)


def smallest_log_pvalue(log_pvalues: FloatArray) -> FloatArray:
    """Join the logarithms of p-values for several targets, (n_features, n_targets), after Bonferroni."""
    known = ~np.isnan(log_pvalues)
    smallest = np.where(known, log_pvalues, np.inf).min(axis=1)
    joined = np.minimum(0, np.log(log_pvalues.shape[1]) + smallest)
    return np.where(known.any(axis=1), joined, np.nan)


@dataclass(frozen=True, kw_only=True)
class Rules:
    """What a column must hold to be kept: every rule that is given."""

    k: int | float | Literal["all", "auto"] = "auto"
    threshold: float | None = None
    percentile: float | None = None
    fdr: float | None = None
    fwer: float | None = None
    fpr: float | None = None
    fdr_method: FdrMethod = "bh"

    @property
    def limits(self) -> dict[str, float]:
        """Those beside `k` that are given."""
        names = "threshold", "percentile", *self._of_pvalues
        limits = {name: getattr(self, name) for name in names}
        return {name: limit for name, limit in limits.items() if limit is not None}

    @property
    def given(self) -> dict[str, Any]:
        """All that are in force."""
        return {"k": self.k, **self.limits}

    @property
    def need_pvalues(self) -> bool:
        """Whether a rule asks for p-values."""
        return any(getattr(self, name) is not None for name in self._of_pvalues)

    _of_pvalues: ClassVar = "fdr", "fwer", "fpr"

    def select(self, scores: FloatArray, log_pvalues: FloatArray | None = None) -> BoolArray:
        """Mark the columns that every given rule keeps.

        Raises ValueError if a rule asks for p-values and there are none.
        """
        mask = top_k(scores, self.number_of_features(scores.size))
        if self.threshold is not None:
            mask &= above(scores, self.threshold)
        if self.percentile is not None:
            mask &= top_percentile(scores, self.percentile)
        if self.need_pvalues:
            mask &= self.significant(log_pvalues)
        return mask

    def significant(self, log_pvalues: FloatArray | None) -> BoolArray:
        """Mark the columns that pass every rule on p-values that is given."""
        if log_pvalues is None:
            name = next(name for name in self._of_pvalues if name in self.limits)
            raise ValueError(
                f"{name}={self.limits[name]} is given, and there are no p-values. They are taken where a fit "
                "asks for them. Fit again with this rule or pvalues=True, by a function that gives none with "
                "n_permutations, or leave the rule out."
            )
        # NaN, of a column that was not scored, is below nothing, and is no test.
        mask = ~np.isnan(log_pvalues)
        n_tests = max(1, int(mask.sum()))
        if self.fdr is not None:
            mask &= log_qvalues(log_pvalues, self.fdr_method) <= np.log(self.fdr) + _ROUNDING
        if self.fwer is not None:
            mask &= log_pvalues < np.log(self.fwer / n_tests)
        if self.fpr is not None:
            mask &= log_pvalues < np.log(self.fpr)
        return mask

    def number_of_features(self, n_features: int) -> int:
        """Return what `k` means among `n_features`, as a whole number that may exceed them.

        A fraction is rounded to the nearest whole number, and up to 1. ``"auto"`` sets no limit
        where another rule is given.
        """
        if isinstance(self.k, str):
            return DEFAULT_K if self.k == "auto" and not self.limits else n_features
        # Every integer type is welcome here, NumPy's too; the type alone distinguishes 1 from 1.0.
        if isinstance(self.k, float | np.floating):
            return max(1, round(float(self.k) * n_features))
        return int(self.k)


def rules_of(selector: Any) -> Rules:
    """Return the rules that a selector was given."""
    return Rules(
        k=selector.k,
        threshold=selector.threshold,
        percentile=selector.percentile,
        fdr=selector.fdr,
        fwer=selector.fwer,
        fpr=selector.fpr,
        fdr_method=selector.fdr_method,
    )


def top_k(scores: FloatArray, k: int) -> BoolArray:
    """Mark the `k` best scores."""
    mask = np.zeros(scores.shape, dtype=bool)
    missing = np.isnan(scores)
    order = np.lexsort((np.where(missing, 0, scores), ~missing))
    mask[order[max(0, scores.size - k) :]] = True
    return mask


def above(scores: FloatArray, threshold: float) -> BoolArray:
    """Mark the scores of at least `threshold`."""
    return np.asarray(scores >= threshold)


def top_percentile(scores: FloatArray, percentile: float) -> BoolArray:
    """Mark the best `percentile` percent of the scores."""
    if percentile == 100:
        return np.ones(scores.shape, dtype=bool)
    if percentile == 0:
        return np.zeros(scores.shape, dtype=bool)
    ranked = np.where(np.isnan(scores), np.finfo(np.float64).min, scores)
    border = np.percentile(ranked, 100 - percentile)
    mask: BoolArray = ranked > border
    ties = np.flatnonzero(ranked == border)
    n_kept = int(scores.size * percentile / 100) - int(mask.sum())
    mask[ties[: max(0, n_kept)]] = True
    return mask
