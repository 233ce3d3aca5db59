"""Scores by shards, for clusters without an engine: ``from skpar_select.sharding import score_shard``.

Each machine scores one of so many shards and writes a part; the parts are merged to what one fit gives.
"""

import copy
import hashlib
from collections.abc import Sequence
from os import PathLike
from typing import Any

import numpy as np

from skpar_select._caller import warn_caller
from skpar_select._memory import format_bytes
from skpar_select._problem import Problem
from skpar_select._rules import rules_of
from skpar_select._selector import ParallelMutualInfoSelector
from skpar_select._typing import Aggregate, Index, Names
from skpar_select._validation import check_k
from skpar_select.matrices import LazyMatrix, Matrix
from skpar_select.matrices.io._selection import as_range, as_slice, compose
from skpar_select.planning import Shard, ShardCost, columns_of_shard, cost_of_shard
from skpar_select.scoring import Progress, SpotDigests, fingerprint, progress_of
from skpar_select.tables import Joined, Manifest, Output, check_output, join_parts, write_part

__all__ = ["cost_of", "merge_shards", "score_shard", "selector_of"]

# Of ten million names, copies of a few are held.
_NAMES_AT_A_TIME = 2**16

# What a selector knows besides the rules and what is held elsewhere.
# Permutations are of a function, which is in no part.
_PARAMETERS = (
    "task",
    "missing",
    "min_observed",
    "n_neighbors",
    "marginals",
    "random_state",
    "pvalues",
    "test",
    "test_neighbors",
    "covariate_knots",
)

# The rules that need p-values.
_OF_PVALUES = ("fdr", "fwer", "fpr")


def score_shard(
    selector: ParallelMutualInfoSelector,
    X: Any,
    y: Any,
    output: str | PathLike[str] | Output,
    *,
    shard: str | tuple[int, int],
    strata: Any = None,
    covariates: Any = None,
    overwrite: bool = False,
    target_names: Sequence[str] | None = None,
    source: str = "y",
) -> int:
    """Score one of several shards of the columns, and write its part.

    Which columns a shard has follows from the layout of `X` and the number of shards. Its rules
    (`k`, `threshold`, `percentile`, `fdr`, `fwer`, `fpr`, `fdr_method`, `aggregate`) are not used: they
    are those of the merge. A merge by `fdr`, `fwer` or `fpr` needs parts of ``pvalues=True``.

    Parameters
    ----------
    selector : ParallelMutualInfoSelector
        What would be fitted; it is not changed. With `random_state` None the noise is that of 0, as
        all shards must have the same.
    X, y
        What it would be fitted to.
    output : str, path-like or Output
        The part, written whole or not at all.
    shard : str or tuple of int
        Its number, from 1 on, and how many there are: ``"3/16"`` or ``(3, 16)``.
    strata, covariates : array-like, default=None
        What it would be fitted with.
    overwrite : bool, default=False
        Whether a file of that name is replaced.
    target_names : sequence of str, default=None
        What several targets are called in tables; those of the columns of `y` by default.
    source : str, default="y"
        What holds them, in words.

    Returns
    -------
    int
        How many columns the shard has; it may be none.

    Raises
    ------
    ValueError
        As of a fit, if there is no such shard, or if it is not known what the scores of
        its function follow from.
    OSError
        If a file cannot be read or written.

    Examples
    --------
    >>> import numpy as np
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> from skpar_select import ParallelMutualInfoSelector
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(200, 50))
    >>> y = X[:, 7] - X[:, 3]
    >>> with TemporaryDirectory() as folder:
    ...     parts = [Path(folder, f"part{number}") for number in (1, 2, 3)]
    ...     for number, part in enumerate(parts, start=1):
    ...         n = score_shard(ParallelMutualInfoSelector(), X, y, part, shard=(number, 3))
    ...     merge_shards(parts, k=2).get_support(indices=True)
    array([3, 7])
    """
    which = Shard.of_text(shard) if isinstance(shard, str) else Shard(*shard)
    which.check()
    selector = copy.copy(selector)
    if selector.random_state is None:
        selector.random_state = 0
    selector._validate_params()
    problem = Problem.of(selector, X, y, strata, covariates)
    matrix, scorer, targets = problem
    found = fingerprint(matrix, scorer, digests=SpotDigests())
    if found is None:
        raise ValueError(
            "It is not known what these scores follow from: their function stands by its name in no "
            "module. Parts are merged where that is known. Take a function that a module defines."
        )
    columns = _columns_of(matrix, which)
    if len(columns) and not matrix.in_memory:
        _warn_of_cost(matrix, which, cost_of(matrix, which))
    names = matrix.feature_names
    mine = [] if names is None else _encoded(names[as_slice(columns)])
    facts = targets.facts
    if target_names is not None:
        facts = facts._replace(names=list(target_names))
    if not isinstance(output, Output):
        files = tuple(file.path for file in matrix.files)
        place = check_output(output, inputs=files, overwrite=overwrite)
        output = Output(place, overwrite=overwrite)
    with output as part:
        results = {}
        if len(columns):
            line = progress_of(selector.verbose)
            sinks: tuple[Progress, ...] = () if line is None else (line,)
            scored = selector._score(problem, sinks=sinks, columns=columns)
            results = {name: values[as_slice(columns)] for name, values in scored.items()}
        manifest = Manifest(
            shard=which,
            fingerprint={
                **found.parts,
                "missing": repr(selector.missing),
                "feature names": f"digest {_digest(names)}",
            },
            n_features=matrix.shape[1],
            columns=columns if isinstance(columns, range) else None,
            n_columns=len(columns),
            results={name: values.shape for name, values in results.items()},
            name_bytes=None if names is None else sum(map(len, mine)),
            targets=facts,
            parameters={
                name: value
                for name, value in selector.get_params(deep=False).items()
                if name in _PARAMETERS and not isinstance(value, np.random.RandomState)
            },
            source=source,
            modified=[file.stamp.modified_ns for file in matrix.files],
        )
        write_part(part, manifest, columns, results, mine)
    return len(columns)


def merge_shards(
    parts: Sequence[str | PathLike[str]],
    *,
    k: Any = "auto",
    threshold: float | None = None,
    percentile: float | None = None,
    fdr: float | None = None,
    fwer: float | None = None,
    fpr: float | None = None,
    fdr_method: str = "bh",
    aggregate: Aggregate = "max",
) -> ParallelMutualInfoSelector:
    """Merge the parts of all shards to the selector that one fit gives.

    Its scores and p-values are the same bits, by the built-in kernel. Its `discrete_features` and its
    function, if it had one, are not in the parts: they are left at their default.

    Parameters
    ----------
    parts : sequence of str or path-like
        The files, in any order.
    k, threshold, percentile, fdr, fwer, fpr, fdr_method, aggregate
        The rules, as of :class:`ParallelMutualInfoSelector`.

    Returns
    -------
    ParallelMutualInfoSelector
        Fitted.

    Raises
    ------
    ValueError
        If a part is missing, comes twice, or is of another run; the message says what differs. If a
        rule needs p-values, and the parts have none.
    OSError
        If a file is no part, or damaged.
    """
    if isinstance(parts, str | PathLike):
        raise TypeError(
            f"parts={parts!r} is one path. Shards are merged from the parts of all. Give a list of them."
        )
    return selector_of(
        join_parts(parts),
        k=k,
        threshold=threshold,
        percentile=percentile,
        fdr=fdr,
        fwer=fwer,
        fpr=fpr,
        fdr_method=fdr_method,
        aggregate=aggregate,
    )


def selector_of(joined: Joined, **rules: Any) -> ParallelMutualInfoSelector:
    """Return the selector that a fit gives whose parts were joined."""
    manifest = joined.manifest
    known = {name: manifest.parameters[name] for name in _PARAMETERS if name in manifest.parameters}
    selector = ParallelMutualInfoSelector(**rules, **known)
    selector._validate_params()
    check_k(selector.k, manifest.n_features)
    asked = [name for name in _OF_PVALUES if name in rules_of(selector).limits]
    if asked and "log_pvalue" not in joined.results:
        raise ValueError(
            f"{asked[0]}={rules[asked[0]]} is given, and the parts hold no p-values. A merge makes none: it "
            "needs those of all columns. Score the shards again with pvalues=True, or leave the rule out."
        )
    selector.n_features_in_ = manifest.n_features
    if joined.names is not None:
        selector.feature_names_in_ = joined.names
    targets = manifest.targets
    selector._keep(joined.results, targets if targets.several else targets._replace(names=None))
    return selector


def cost_of(matrix: Matrix, shard: Shard) -> ShardCost:
    """Count what a shard of a matrix reads."""
    view = LazyMatrix(matrix, columns=_columns_of(matrix, shard))
    return cost_of_shard(
        (part.matrix.layout for part in matrix.parts), (part.matrix.layout for part in view.parts)
    )


def _columns_of(matrix: Matrix, shard: Shard) -> Index:
    """Return the columns of a shard by their index, ascending."""
    parts = matrix.parts
    held = columns_of_shard([part.matrix.layout for part in parts], shard)
    pieces = [compose(part.columns, of_part) for part, of_part in zip(parts, held, strict=True)]
    pieces = [piece for piece in pieces if len(piece)]
    if not pieces:
        return range(0)
    if len(pieces) == 1 and isinstance(pieces[0], range) and pieces[0].step == 1:
        return pieces[0]
    return as_range(np.sort(np.concatenate(pieces)))


def _warn_of_cost(matrix: Matrix, shard: Shard, cost: ShardCost) -> None:
    if cost.is_high:
        warn_caller(
            f"shard='{shard}' reads {format_bytes(cost.read_bytes)} of the "
            f"{format_bytes(cost.whole_bytes)} of {matrix.label} ({matrix.description}) for "
            f"{100 * cost.share:.3g} % of its columns. All shards together read "
            f"{cost.read_bytes * shard.of / cost.whole_bytes:.3g} times the matrix. Repack it once, into "
            "chunks of columns, with skpar_select.tables.repack_matrix, or take fewer shards.",
        )


def _encoded(names: Names) -> list[bytes]:
    return [str(name).encode("utf-8", "surrogatepass") for name in names]


def _digest(names: Names | None) -> str:
    """Return a digest of names, each with its length, so that none is mixed up with the next."""
    digest = hashlib.blake2b(digest_size=16)
    names = np.empty(0, dtype=object) if names is None else names
    for start in range(0, len(names), _NAMES_AT_A_TIME):
        some = _encoded(names[start : start + _NAMES_AT_A_TIME])
        digest.update(np.fromiter(map(len, some), "<i8", len(some)).tobytes() + b"".join(some))
    return digest.hexdigest()
