"""Columns of a table that are held fixed, as strata, or regressed out, as covariates."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from skpar_select._alignment import repeated
from skpar_select._given import check_several
from skpar_select._typing import Array, BoolArray, IndexArray
from skpar_select._wording import listing
from skpar_select.tables._table import Table
from skpar_select.tables._targets import labels_of, numbers_of

_WHATS = {"strata": "A stratum", "covariates": "A covariate"}


class ConfounderColumns(NamedTuple):
    """The names of such columns, as the table has them."""

    strata: list[str]
    covariates: list[str]

    @property
    def names(self) -> list[str]:
        """All of them."""
        return [*self.strata, *self.covariates]

    @classmethod
    def of(
        cls,
        table: Table,
        strata: str | Sequence[str] | None,
        covariates: str | Sequence[str] | None,
        targets: Sequence[str],
    ) -> "ConfounderColumns":
        """Find them; ValueError for one that is not there, is named twice or is a target."""
        given = {"strata": strata, "covariates": covariates}
        found = {word: _found(table, word, names) for word, names in given.items()}
        every = [name for names in found.values() for name in names]
        for word, names in found.items():
            own = [name for name in names if name in targets]
            if own:
                raise ValueError(
                    f"{word}={own!r} names {'a target' if len(targets) > 1 else 'the target'}. Nothing is "
                    "left of a target that is held fixed or regressed out. Name other columns."
                )
            other = [name for name in names if table.length(name) != table.length(targets[0])]
            if other:
                raise ValueError(
                    f"{word}={other!r} has {table.length(other[0])} rows, the target "
                    f"{table.length(targets[0])}. All must be of the same samples. Name columns of one "
                    "length."
                )
        twice = repeated(every)
        if twice:
            raise ValueError(
                f"Strata and covariates name {listing(twice)} twice. A column is held fixed or regressed out, "
                "once. Name it once."
            )
        return cls(**found)

    def values(
        self, table: Table, rows: IndexArray
    ) -> tuple[Array | None, Array | None, BoolArray]:
        """Return strata, covariates, and which samples lack one of them, of some rows.

        Strata are labels of shape (n_rows, n_strata), covariates float64 of shape
        (n_rows, n_covariates); None where there are none.
        """
        strata = covariates = None
        missing = np.zeros((len(rows), 0), dtype=bool)
        if self.strata:
            strata, missing = labels_of(table, self.strata, rows)
        if self.covariates:
            covariates, lacking = numbers_of(
                table,
                self.covariates,
                rows,
                use="regression on covariates",
                otherwise="name it with strata, which are labels",
            )
            missing = np.hstack([missing, lacking])
        return strata, covariates, missing


def _found(table: Table, word: str, given: str | Sequence[str] | None) -> list[str]:
    if given is None:
        return []
    check_several(given, word, "the name of a column, or several of them")
    names = [given] if isinstance(given, str) else given
    return [table.find(name, _WHATS[word]) for name in names]
