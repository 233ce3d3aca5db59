"""Rules that turn scores into a mask. Ties and NaN are settled here, once.

A score that is NaN ranks below every number and is never above a threshold. Of tied scores at
the border of the best `k` the highest column index wins, and at the border of a percentile the
lowest, as in scikit-learn's SelectKBest and SelectPercentile.
"""

from typing import Literal

import numpy as np

from skpar_select._typing import Aggregate, BoolArray, FloatArray

DEFAULT_K = 10


def aggregated(scores: FloatArray, aggregate: Aggregate) -> FloatArray:
    """Join the scores for several targets, (n_features, n_targets), into those that decide."""
    known = ~np.isnan(scores)
    if aggregate == "max":
        joined = np.where(known, scores, -np.inf).max(axis=1)
    else:
        joined = np.where(known, scores, 0).sum(axis=1) / np.maximum(known.sum(axis=1), 1)
    return np.where(known.any(axis=1), joined, np.nan)


def smallest_pvalue(pvalues: FloatArray) -> FloatArray:
    """Join p-values for several targets, (n_features, n_targets), after Bonferroni."""
    known = ~np.isnan(pvalues)
    smallest = np.where(known, pvalues, np.inf).min(axis=1)
    return np.where(known.any(axis=1), np.minimum(1, pvalues.shape[1] * smallest), np.nan)


def select(
    scores: FloatArray,
    *,
    k: int | float | Literal["all", "auto"],
    threshold: float | None,
    percentile: float | None,
) -> BoolArray:
    """Mark the columns that every given rule keeps."""
    mask = top_k(scores, number_of_features(k, scores.size, threshold, percentile))
    if threshold is not None:
        mask &= above(scores, threshold)
    if percentile is not None:
        mask &= top_percentile(scores, percentile)
    return mask


def number_of_features(
    k: int | float | Literal["all", "auto"],
    n_features: int,
    threshold: float | None,
    percentile: float | None,
) -> int:
    """Return what `k` means among `n_features`, as a whole number that may exceed them.

    A fraction is rounded to the nearest whole number, and up to 1. ``"auto"`` sets no limit
    where another rule is given.
    """
    if isinstance(k, str):
        alone = threshold is None and percentile is None
        return DEFAULT_K if k == "auto" and alone else n_features
    # Every integer type is welcome here, NumPy's too; the type alone distinguishes 1 from 1.0.
    if isinstance(k, float | np.floating):
        return max(1, round(float(k) * n_features))
    return int(k)


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
