"""Confounders: what drives columns and target alike, and is held fixed or regressed out.

Strata, such as batches, are held fixed: each is scored alone. Covariates are regressed out of columns and
target within each stratum: what is scored are the residuals. They remove what a covariate does to the mean,
not what it does to the spread.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
from sklearn.preprocessing import SplineTransformer

from skpar_select._typing import Array, FloatArray, IndexArray
from skpar_select._validation import is_missing
from skpar_select._wording import counted, listing
from skpar_select.scoring._regression import Regression

# The kernel breaks the ties of a target by this number, that no column has.
_TARGET = np.array([1 << 63], dtype=np.uint64)


class Stratum:
    """The samples of one stratum among those of a group of targets.

    Attributes
    ----------
    label : str
        As errors call it.
    n_samples : int
    n_terms : int
        The terms that are regressed out, with the constant; 0 where there are no covariates.
    """

    def __init__(
        self, label: str, rows: IndexArray | None, n_samples: int, regression: Regression | None
    ) -> None:
        self.label = label
        self.n_samples = n_samples
        self.n_terms = 0 if regression is None else regression.n_terms
        self._rows = rows
        self._regression = regression

    def take(self, block: Array, columns: Array, seed: int) -> Array:
        """Return what of a block, of the samples of the group, is scored in this stratum."""
        some = block if self._rows is None else block[self._rows]
        if self._regression is None:
            return some
        return self._regression.residuals(some, columns=columns, seed=seed)

    def take_target(self, values: Array, seed: int) -> Array:
        """Return what of a target, of the samples of the group, is scored in this stratum."""
        return self.take(values[:, np.newaxis], _TARGET, seed)[:, 0]


def check_sizes(strata: list[Stratum], n_neighbors: int, parameter: str) -> None:
    """Refuse strata with less than four times the neighbours, or fewer samples than are regressed on."""
    if len(strata) == 1 and not strata[0].n_terms:
        return
    smallest = min(strata, key=lambda one: one.n_samples)
    least = 4 * n_neighbors
    if len(strata) > 1 and smallest.n_samples < least:
        raise ValueError(
            f"{smallest.label} has {counted(smallest.n_samples, 'sample')}. Each must have {least}, 4 times "
            f"{parameter}={n_neighbors}, for neighbours to be near. Join small strata, leave them out, or lower "
            f"{parameter}."
        )
    for one in strata:
        if one.n_samples < 2 * one.n_terms + least:
            raise ValueError(
                f"{one.label} has {counted(one.n_samples, 'sample')} for {counted(one.n_terms, 'term')} that "
                f"are regressed out. Twice as many are needed, and 4 times {parameter}={n_neighbors}. Take "
                "fewer covariates, knots or strata."
            )


class Confounders:
    """The strata and covariates of a fit, checked.

    Parameters
    ----------
    strata : array-like of shape (n_samples,) or (n_samples, n_columns) or None
        Labels; of several columns each combination is a stratum.
    covariates : array-like of shape (n_samples,) or (n_samples, n_covariates) or None
        Finite numbers.
    n_samples : int
        The samples of the matrix.
    n_knots : int
        Of the cubic splines of each covariate; 0 for straight lines.

    Attributes
    ----------
    codes : ndarray of int of shape (n_samples,) or None
        The stratum of each sample.
    has_covariates : bool
    """

    def __init__(self, strata: Any, covariates: Any, n_samples: int, *, n_knots: int = 0) -> None:
        self.codes, self._labels = _codes_of(strata, n_samples)
        self._covariates = _checked_covariates(covariates, n_samples)
        self.has_covariates = self._covariates is not None
        self._n_knots = n_knots
        self._n_samples = n_samples

    def __len__(self) -> int:
        return self._n_samples

    def strata_of(self, rows: IndexArray | None) -> list[Stratum]:
        """Return the strata of some samples of the matrix; None means all."""
        codes = self.codes if rows is None or self.codes is None else self.codes[rows]
        covariates = self._covariates
        if rows is not None and covariates is not None:
            covariates = covariates[rows]
        if codes is None:
            n_samples = len(self) if rows is None else len(rows)
            return [Stratum("all samples", None, n_samples, self._regression_on(covariates))]
        found = [(code, np.flatnonzero(codes == code)) for code in np.unique(codes)]
        return [
            Stratum(
                f"stratum {self._labels[code]!r}",
                some,
                len(some),
                self._regression_on(None if covariates is None else covariates[some]),
            )
            for code, some in found
        ]

    @property
    def n_strata(self) -> int:
        """The number of strata among all samples."""
        return max(1, len(self._labels))

    @property
    def n_terms(self) -> int:
        """The most terms that are regressed out in a stratum, with the constant; 0 without covariates."""
        return max(stratum.n_terms for stratum in self.strata_of(None))

    def fingerprint_parts(self) -> Iterator[tuple[str, Any]]:
        """Yield what the scores follow from besides columns and targets."""
        yield "strata", self.codes
        yield "covariates", self._covariates
        yield "covariate_knots", self._n_knots

    def _regression_on(self, covariates: FloatArray | None) -> Regression | None:
        if covariates is None:
            return None
        terms = [_terms(covariate, self._n_knots) for covariate in covariates.T]
        return Regression(np.hstack(terms))


def _terms(covariate: FloatArray, n_knots: int) -> FloatArray:
    """Return the terms of a covariate: itself, those of cubic splines, or one for each of few values."""
    column = covariate[:, np.newaxis]
    if not n_knots:
        return column
    distinct = np.unique(covariate)
    if len(distinct) <= n_knots:
        return np.asarray(column == distinct[1:], dtype=np.float64)
    knots = np.unique(np.quantile(covariate, np.linspace(0, 1, n_knots)))
    if len(knots) < 3:
        # Most values are equal, so that quantiles are.
        knots = np.linspace(distinct[0], distinct[-1], n_knots)
    splines = SplineTransformer(degree=3, knots=knots[:, np.newaxis], include_bias=False)
    return np.asarray(splines.fit_transform(column))


def _codes_of(strata: Any, n_samples: int) -> tuple[IndexArray | None, list[str]]:
    """Return the number of the stratum of each sample, and the label of each stratum."""
    if strata is None:
        return None, []
    columns = _columns(strata, "strata", n_samples)
    lacking = np.zeros(n_samples, dtype=bool)
    numbered = []
    for column in columns:
        lacking |= np.array([is_missing(value) for value in column])
        labels = np.array([str(value) for value in column], dtype=object)
        numbered.append(np.unique(labels, return_inverse=True))
    if lacking.any():
        raise ValueError(
            f"strata lack {counted(int(lacking.sum()), 'value')}, the first at position "
            f"{np.flatnonzero(lacking)[0]}. Every sample belongs to a stratum. Leave these samples out, or "
            "give them a label of their own."
        )
    rows, codes = np.unique(
        np.column_stack([codes for _, codes in numbered]), axis=0, return_inverse=True
    )
    names = [
        ", ".join(str(labels[code]) for (labels, _), code in zip(numbered, row, strict=True))
        for row in rows
    ]
    return codes.reshape(-1).astype(np.intp), names


def _checked_covariates(covariates: Any, n_samples: int) -> FloatArray | None:
    if covariates is None:
        return None
    columns = _columns(covariates, "covariates", n_samples)
    no_numbers = [np.asarray(column).dtype for column in columns]
    no_numbers = [dtype for dtype in no_numbers if dtype.kind in "cmM"]
    if no_numbers:
        raise ValueError(
            f"covariates are of type {no_numbers[0]}. They are regressed out, which takes real numbers. Convert "
            "them, such as to days since a date."
        )
    try:
        values = np.column_stack([np.asarray(column, dtype=np.float64) for column in columns])
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"covariates are not all numbers ({error}). They are regressed out, which takes numbers. Pass "
            "labels as strata, or as columns of 0 and 1."
        ) from error
    unknown = ~np.isfinite(values)
    if unknown.any():
        row, column = np.argwhere(unknown)[0]
        raise ValueError(
            f"covariates hold {values[row, column]} at row {row}, column {column}, one of "
            f"{counted(int(unknown.sum()), 'value')} that are not finite. Every sample needs all of them. "
            "Leave these samples out, or impute the values."
        )
    return values


def _columns(given: Any, name: str, n_samples: int) -> list[Any]:
    """Return the columns of one or two dimensions, of so many samples."""
    if hasattr(given, "columns") and hasattr(given, "shape"):
        columns = [np.asarray(given[column]) for column in given.columns]
        if any(column.ndim > 1 for column in columns):
            raise ValueError(
                f"{name} hold two columns of one name ({listing(list(given.columns))}). Columns of a table are "
                "told apart by their names. Rename one."
            )
        shape = tuple(given.shape)
    else:
        array = np.asarray(given)
        if array.dtype.kind in "US" and array is not given:
            # Of a list NumPy makes the text "nan" of a value that is missing.
            array = np.asarray(given, dtype=object)
        shape = array.shape
        columns = [array] if array.ndim == 1 else list(array.T) if array.ndim == 2 else []
    if len(shape) not in (1, 2) or shape[0] != n_samples or not columns:
        raise ValueError(
            f"{name} are of shape {shape}, X has {n_samples} samples. There must be one row for each "
            "sample, in the same order, and one column or more. Check which samples they are of."
        )
    return columns
