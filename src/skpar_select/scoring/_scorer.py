"""The contract of a scorer: a block of columns in, named numbers for each of them out.

A scorer owes

- ``needs(n_samples, dtype)``: what it takes in memory, which is all that the planner asks;
- ``__call__(values, columns)``: the result, by name: ``"score"``, and whatever else it gives. A
  column's numbers depend on its values, the target, the parameters, the seed and its index, and on
  nothing else: not on the other columns of the block.

It also says which executor suits it (``prefers``) and whether it takes sparse blocks as they are
(``takes_sparse``); and ``fingerprint_parts`` names all that its scores follow from, or gives None
where that is unknown, so that no score of it is kept.

A scorer pickles, and once prepared is never changed by being called; any thread may call it. Values that are not
finite are refused by :class:`~skpar_select._finite.NonFiniteError`.

:class:`skpar_select.testing.ScorerConformance` is the suite that every implementation passes.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import Any, ClassVar

import numpy as np

from skpar_select._typing import Index, Prefer, Result
from skpar_select.planning import Needs


class Scorer(ABC):
    """Scores the columns of a block, each for itself.

    Attributes
    ----------
    prefers : {"threads", "processes", "either"}
        Where it runs best.
    takes_sparse : bool
        Whether a block of a sparse matrix reaches it as it is.
    """

    prefers: ClassVar[Prefer] = "threads"
    takes_sparse: ClassVar[bool] = False

    @abstractmethod
    def needs(self, n_samples: int, dtype: np.dtype[Any]) -> Needs:
        """Say what scoring takes, of blocks of so many rows and of a type."""

    def prepare(self) -> None:  # noqa: B027  # not every scorer has something to prepare
        """Do what is done once a fit. Called before the first block, where scores are not kept."""

    @abstractmethod
    def __call__(self, values: Any, columns: Index) -> Result:
        """Score a block.

        Parameters
        ----------
        values : ndarray or sparse matrix of shape (n_samples, width)
            The block; never written into.
        columns : range or ndarray of int of shape (width,)
            The index of each of its columns in the whole matrix.

        Returns
        -------
        dict of str to ndarray of float64 of shape (width,)
            ``"score"`` and any other column of the result, the same for every block.
        """

    def fingerprint_parts(self) -> Iterator[tuple[str, Any]] | None:
        """Yield what determines the scores besides the matrix, or None where that is unknown.

        Each part has the name of a parameter, and is an array, bytes, or what ``repr`` tells apart;
        several may have one name.
        """
        return None
