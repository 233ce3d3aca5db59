"""What a fit leaves behind, under the names that users know it by."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from sklearn.feature_selection import SelectorMixin
from sklearn.utils.validation import _check_feature_names_in, check_is_fitted

from skpar_select._rules import aggregated, rules_of, smallest_log_pvalue
from skpar_select._typing import Aggregate, BoolArray, FloatArray, IndexArray
from skpar_select._warnings import (
    warn_of_fractions,
    warn_of_many_significant,
    warn_of_none_selected,
    warn_of_unscored,
)
from skpar_select.scoring import TargetFacts
from skpar_select.significance import log_qvalues
from skpar_select.tables import details_of, score_frame


class Outcome(NamedTuple):
    """The attributes of a fitted selector that its scores are and that come with them."""

    scores_: FloatArray
    pvalues_: FloatArray | None
    log_pvalues_: FloatArray | None
    noise_floor_: FloatArray | None
    n_observed_: IndexArray
    rho_: FloatArray | None
    scores_by_target_: FloatArray | None
    log_pvalues_by_target_: FloatArray | None
    target_names_: list[str] | None

    @classmethod
    def of(
        cls, results: Mapping[str, FloatArray], targets: TargetFacts, aggregate: Aggregate
    ) -> "Outcome":
        """Take the results of all columns: of several targets, one score for each column decides."""
        scores, log_pvalues, rho = results["score"], results.get("log_pvalue"), results.get("rho")
        n_observed, noise_floor = results.get("n_observed"), results.get("noise_floor")
        if n_observed is None:
            n_observed = np.full(scores.shape, float(targets.n_samples))
        by_target = pvalues_by_target = None
        if targets.several:
            by_target, n_observed = scores.T, n_observed.T
            scores = aggregated(scores, aggregate)
            if log_pvalues is not None:
                pvalues_by_target = log_pvalues.T
                log_pvalues = smallest_log_pvalue(log_pvalues)
            rho = None if rho is None else rho.T
            noise_floor = None if noise_floor is None else noise_floor.T
        return cls(
            scores_=scores,
            pvalues_=None if log_pvalues is None else np.exp(log_pvalues),
            log_pvalues_=log_pvalues,
            noise_floor_=noise_floor,
            n_observed_=n_observed.astype(np.intp),
            rho_=rho,
            scores_by_target_=by_target,
            log_pvalues_by_target_=pvalues_by_target,
            target_names_=targets.names,
        )

    def lacking(self, targets: TargetFacts) -> BoolArray:
        """Return for each column, and target, whether a sample that has the target lacks a value."""
        n_samples = targets.n_samples - np.array(targets.n_missing)
        return np.asarray(n_samples > self.n_observed_.T)


class HasScores(SelectorMixin):
    """A selector that was fitted: what its outcome tells, and what its rules make of it."""

    @property
    def qvalues_(self) -> FloatArray | None:
        """The least false discovery rate that keeps each column."""
        check_is_fitted(self, "scores_")
        if self.log_pvalues_ is None:
            return None
        return np.exp(log_qvalues(self.log_pvalues_, self.fdr_method))

    def _get_support_mask(self) -> BoolArray:
        check_is_fitted(self, "scores_")
        self._validate_params()  # the rules may have been changed since fit
        return rules_of(self).select(self.scores_, self.log_pvalues_)

    def to_frame(self) -> Any:
        """Give the scores as a table, best first.

        Returns
        -------
        pandas.DataFrame
            ``feature`` (the name, or x0, x1, ...), ``score``, ``selected``, ``rank`` (from 1 on)
            and ``index`` (of the column, from 0 on); and, where there are any, ``pvalue``, ``qvalue``,
            ``log10_pvalue``, ``n_observed``, ``score_NAME`` for each of several targets, and ``rho``, or
            ``rho_NAME``.
            Of equal scores the selected come first; a score that is NaN comes last. Needs pandas.

        Examples
        --------
        >>> import numpy as np
        >>> from skpar_select import ParallelMutualInfoSelector
        >>> rng = np.random.default_rng(0)
        >>> X = rng.normal(size=(200, 3))
        >>> y = X[:, 1] + X[:, 2] / 2
        >>> ParallelMutualInfoSelector(k=1, random_state=0).fit(X, y).to_frame().round(2)
          feature  score  selected  rank  index
        0      x1   0.74      True     1      1
        1      x2   0.02     False     2      2
        2      x0   0.00     False     3      0
        """
        check_is_fitted(self, "scores_")
        names, selected = _check_feature_names_in(self), self.get_support()
        return score_frame(names, self.scores_, selected, details_of(self))

    def _keep(self, results: dict[str, FloatArray], targets: TargetFacts) -> None:
        """Take the results of all columns, and warn of what they tell."""
        outcome = Outcome.of(results, targets, self.aggregate)
        for name, value in outcome._asdict().items():
            setattr(self, name, value)
        warn_of_fractions(results.get("has_fractions"))
        if self.missing != "raise":
            lacking = outcome.lacking(targets)
            warn_of_unscored(results["score"], lacking, self.missing, self.min_observed)
        rules = rules_of(self)
        if self.k != 0 and rules.limits:
            # `k` alone, unless it is 0, always keeps a column.
            self._warn_of_none_selected()
        if self.pvalues and outcome.log_pvalues_ is None:
            raise ValueError(
                "pvalues=True is given, and the function gives scores alone. p-values are its own, or by "
                "permutation. Set n_permutations, or leave pvalues out; scores_ is there."
            )
        if rules.need_pvalues and outcome.log_pvalues_ is not None:
            warn_of_many_significant(outcome.log_pvalues_, rules)

    def _warn_of_none_selected(self) -> None:
        if not self._get_support_mask().any():
            warn_of_none_selected(self, rules_of(self))
