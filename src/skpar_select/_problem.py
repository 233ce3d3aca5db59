"""What a fit is about: a matrix, its targets, and how the columns are scored."""

from typing import Any, NamedTuple

from skpar_select._inputs import check_confounders, check_input, check_targets
from skpar_select._repeated import warn_of_repeated
from skpar_select._rules import rules_of
from skpar_select._validation import check_k
from skpar_select.matrices import Matrix
from skpar_select.scoring import (
    Confounders,
    DiscreteFeatures,
    FunctionScorer,
    IndependenceTest,
    MutualInformation,
    Scorer,
    Targets,
)


class Problem(NamedTuple):
    """A fit that was checked."""

    matrix: Matrix
    scorer: Scorer
    targets: Targets

    @classmethod
    def of(cls, selector: Any, X: Any, y: Any, strata: Any, covariates: Any) -> "Problem":
        """Check what a selector is handed, by its parameters."""
        _check_score_func(selector, strata, covariates)
        matrix, discrete = check_input(X, selector.discrete_features, estimator=selector)
        check_k(selector.k, matrix.shape[1])
        task = selector.task if selector.score_func is None else None
        targets = check_targets(y, matrix, task=task, omit=selector.missing != "raise")
        n_knots = selector.covariate_knots
        confounders = check_confounders(strata, covariates, matrix, n_knots=n_knots)
        scorer = selector._scorer(targets, discrete, confounders)
        if selector.score_func is None and _is_tested(selector):
            warn_of_repeated(matrix, targets)
        return cls(matrix, scorer, targets)


def scorer_of(
    selector: Any, targets: Targets, discrete: DiscreteFeatures, confounders: Confounders
) -> Scorer:
    """Return what scores the columns by the parameters of a selector."""
    # To skip a column that lacks any value is to ask for all.
    min_observed = {"raise": None, "omit": selector.min_observed, "skip": 1.0}[selector.missing]
    # Any noise will do: a fit that goes on must have the same.
    kept = selector.store is not None and selector.random_state is None
    random_state = 0 if kept else selector.random_state
    if selector.score_func is not None:
        return FunctionScorer(
            selector.score_func,
            targets,
            min_observed=min_observed,
            n_permutations=selector.n_permutations,
            strata=confounders.codes,
            random_state=random_state,
        )
    test = IndependenceTest(selector.test_neighbors, combined=selector.test == "combined")
    return MutualInformation(
        targets,
        task=selector.task,
        discrete=discrete,
        n_neighbors=selector.n_neighbors,
        marginals=selector.marginals,
        random_state=random_state,
        min_observed=min_observed,
        test=test if _is_tested(selector) else None,
        confounders=confounders,
    )


def _is_tested(selector: Any) -> bool:
    return bool(selector.pvalues or rules_of(selector).need_pvalues)


def _check_score_func(selector: Any, strata: Any, covariates: Any) -> None:
    """Refuse what a score function cannot be asked for, or the built-in kernel."""
    if selector.score_func is None:
        if selector.n_permutations:
            raise ValueError(
                f"n_permutations={selector.n_permutations} is given without score_func. Permutations are for "
                "functions whose null is not known; that of the built-in scores is. Leave it out, or "
                "set score_func."
            )
        return
    if covariates is not None:
        raise ValueError(
            "covariates are given with score_func. They are regressed out before ranks are taken, by the "
            "built-in scores alone. Leave score_func out, or regress them out of X and y first."
        )
    if strata is not None and not selector.n_permutations:
        raise ValueError(
            "strata are given with score_func and without n_permutations. A function sees no strata; "
            "permutations keep within them. Set n_permutations, or leave score_func out."
        )
