"""Warnings of what a fit was handed, or found. Each says what is so, why it matters, and the remedy."""

from typing import Any

import numpy as np

from skpar_select._caller import warn_caller
from skpar_select._rules import Rules
from skpar_select._typing import BoolArray, FloatArray, Missing
from skpar_select._validation import is_missing
from skpar_select._wording import listing, shown_pvalue

# Below so many columns nothing is said of how many pass.
_MANY = 20


def warn_of_constant(y: Any) -> None:
    """Warn of a target of one value, by which every column scores 0."""
    values = np.asarray(y)
    for column in values.T if values.ndim == 2 else [values]:
        there = column[
            ~np.array([is_missing(one) for one in column[:2]] + [False] * len(column[2:]))
        ]
        if len(there) > 1 and (there == there[0]).all():
            warn_caller(
                f"y is {there[0]} for every sample, so that all scores are 0. Columns share something "
                "only with a target that varies. Check which column of the table y is."
            )
            return


def warn_of_labels(y: Any) -> None:
    """Warn of a target of two distinct values, which is about to be scored as numbers."""
    values = np.asarray(y)
    for column in values.T if values.ndim == 2 else [values]:
        distinct: list[Any] = []
        for value in column.ravel().tolist():
            if not is_missing(value) and value not in distinct:
                distinct.append(value)
            if len(distinct) > 2:
                break
        if len(distinct) == 2 < len(column):
            warn_caller(
                f"y holds two distinct values, {listing(distinct)}, and task='regression' scores it "
                "as numbers. Classes must be named as such. Set task='classification' if these are "
                "labels."
            )
            return


def warn_of_none_selected(fitted: Any, rules: Rules) -> None:
    """Warn that no column holds by the rules of a fitted selector."""
    given = ", ".join(f"{rule}={value!r}" for rule, value in rules.given.items())
    numbers = fitted.scores_[~np.isnan(fitted.scores_)]
    best = f"the best is {numbers.max():.6g}" if numbers.size else "none is a number"
    if rules.need_pvalues and numbers.size and not np.isnan(fitted.log_pvalues_).all():
        best += f", the least p-value {shown_pvalue(np.nanmin(fitted.log_pvalues_))}"
        floor = 0.0 if fitted.noise_floor_ is None else np.nanmax(fitted.noise_floor_, initial=0.0)
        if floor > 0:
            best += f", and noise alone reaches {floor:.3g} nats in one of {numbers.size} columns"
    warn_caller(
        f"No features were selected by {given}: of {fitted.scores_.size} scores {best}. Every rule given "
        "must hold for a feature to be kept. Loosen one; it takes effect without a new fit.",
    )


def warn_of_many_significant(log_pvalues: FloatArray, rules: Rules) -> None:
    """Warn where error rates keep more than half of the columns that were tested."""
    n_tested = int(np.count_nonzero(~np.isnan(log_pvalues)))
    n_kept = int(np.count_nonzero(rules.significant(log_pvalues)))
    # Of a few columns most may well be chosen for what they tell.
    if n_tested < _MANY or 2 * n_kept <= n_tested:
        return
    given = ", ".join(f"{rule}={value!r}" for rule, value in rules.limits.items())
    warn_caller(
        f"{n_kept} of {n_tested} columns pass {given}. An error rate says whether anything is there, which is "
        "so of most of these columns, not which tell much. Choose by nats, with threshold or k; and see "
        "whether a confounder, such as a batch, drives them all.",
    )


def warn_of_missing_targets(n_missing: list[int], n_samples: int, names: list[str] | None) -> None:
    """Say how many samples have no target, which are left out."""
    lacking = [
        f"{'y' if len(n_missing) == 1 else repr(names[position]) if names else f'y[:, {position}]'} "
        f"({number})"
        for position, number in enumerate(n_missing)
        if number
    ]
    if lacking:
        warn_caller(
            f"Of {n_samples} samples some have no target, {listing(lacking, quoted=False)}. They are "
            "left out where that target is scored, as missing='omit' and 'skip' ask.",
        )


def warn_of_unscored(
    scores: FloatArray, lacking: BoolArray, missing: Missing, min_observed: int | float
) -> None:
    """Warn of columns without a score that lack values."""
    unscored: BoolArray = np.isnan(scores) & lacking
    if unscored.ndim > 1:
        unscored = np.any(unscored, axis=1)
    if not unscored.any():
        return
    n_features = len(scores)
    why = (
        f"they have values for fewer than min_observed={min_observed!r} of the samples, or for no "
        "more than n_neighbors"
        if missing == "omit"
        else "they lack values, and missing='skip' skips such columns"
    )
    remedy = "Lower min_observed" if missing == "omit" else "Set missing='omit'"
    warn_caller(
        f"{unscored.sum()} of {n_features} columns were not scored: {why}. Their score is NaN, which "
        f"ranks last. {remedy} to score them; n_observed_ tells how many values each has.",
    )


def warn_of_fractions(has_fractions: FloatArray | None) -> None:
    """Warn of columns that count as discrete because nobody said otherwise, and hold fractions."""
    if has_fractions is None or not has_fractions.any():
        return
    warn_caller(
        f"X is sparse, so that discrete_features='auto' counts its columns as discrete, and "
        f"{np.count_nonzero(has_fractions)} of {len(has_fractions)} hold fractions. Each distinct number "
        "is a class then, and scores tell how many there are. Set discrete_features=False for "
        "quantities such as logarithms of counts, or True for classes.",
    )
