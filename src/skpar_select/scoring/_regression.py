"""Least squares on covariates, whose residuals are scored."""

from functools import partial

import numpy as np

from skpar_select._exact import floats_up_to_shift
from skpar_select._typing import Array, FloatArray
from skpar_select.kernels import ranks
from skpar_select.scoring._ties import spread_ties

# Of a column that follows from the covariates rounding is left: so many units in the last place of its
# largest value. The residuals of the covariates themselves reach 4.
_ROUNDING = 64


class Regression:
    """Least squares on covariates of the same samples: what they do not explain is left.

    Every sum is taken column by column by NumPy's own loops, never by BLAS: the residuals of a column are the
    same bits whatever stands beside it, and whatever threads BLAS has.

    Parameters
    ----------
    design : ndarray of shape (n_samples, n_terms)
        The terms, besides a constant. A term that follows from others is of no effect.
    """

    def __init__(self, design: FloatArray) -> None:
        n_samples = len(design)
        self._basis = np.full((1, n_samples), 1 / np.sqrt(n_samples))
        for term in design.T:
            # Once more, as the first residuals are not orthogonal to rounding.
            residual = self._residual(self._residual(_of_unit_size(term)))
            if residual.any():
                residual /= np.sqrt((residual * residual).sum())
                self._basis = np.vstack([self._basis, residual])

    @property
    def n_terms(self) -> int:
        """The number of terms that count, with the constant."""
        return len(self._basis)

    def residuals(self, values: Array, *, columns: Array, seed: int) -> FloatArray:
        """Return what is left of each column of (n_samples, width), in Fortran order.

        Each is divided by the power of two that brings it below 1: neither ranks nor standardised values
        change. Equal values are set apart at random, by `seed` and the index of the column in the whole matrix.
        A column that lacks values is regressed on the samples that it has. One that holds infinity
        stays as it is.
        """
        left = np.empty(values.shape, order="F")
        for column, given, index in zip(left.T, values.T, columns, strict=True):
            column[:] = floats_up_to_shift(given)
            known = np.isfinite(column)
            if np.isinf(column).any() or not known.any():
                continue
            some = _of_unit_size(column[known])
            project = self._residual
            if not known.all():
                project = partial(self._residual_of_some, basis=self._basis[:, known])
            residual = project(some)
            # What follows from the covariates tells nothing, ties or not.
            if residual.any():
                order = ranks(some[:, np.newaxis], seed=seed, columns=[index])[:, 0]
                spread = spread_ties(some, order)
                residual = residual if spread is some else project(spread)
            column[known] = residual
        return left

    def _residual(self, column: FloatArray) -> FloatArray:
        # What is large, such as a year, is taken off first: it would cost digits.
        left = column - column.mean()
        left -= np.einsum("i,ij->j", np.einsum("ij,j->i", self._basis, left), self._basis)
        return _without_rounding(left, column)

    @staticmethod
    def _residual_of_some(column: FloatArray, basis: FloatArray) -> FloatArray:
        left = column - column.mean()
        products = np.einsum("ik,jk->ij", basis, basis)
        weights = np.linalg.lstsq(products, np.einsum("ij,j->i", basis, left), rcond=1e-10)[0]
        left -= np.einsum("i,ij->j", weights, basis)
        return _without_rounding(left, column)


def _of_unit_size(column: FloatArray) -> FloatArray:
    """Return a column whose largest value is between 1/2 and 1, by a power of two: no bit is lost.

    Sums of what is beyond 1e300 are infinite, and squares of what is below 1e-160 are 0.
    """
    return np.asarray(np.ldexp(column, -np.frexp(np.abs(column).max(initial=0))[1]))


def _without_rounding(residual: FloatArray, column: FloatArray) -> FloatArray:
    """Return 0 for the residuals of a column of which rounding alone is left."""
    least = _ROUNDING * np.finfo(np.float64).eps * np.abs(column).max()
    return residual if np.abs(residual).max() > least else np.zeros_like(residual)
