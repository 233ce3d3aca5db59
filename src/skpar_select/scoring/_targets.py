"""The targets of a fit: one or several, checked, and grouped by the samples that they have."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from skpar_select._typing import Array, IndexArray, Task
from skpar_select._validation import check_target, target_columns


class TargetGroup(NamedTuple):
    """Targets that have values for the same samples."""

    rows: IndexArray | None
    """These samples; None means all."""

    positions: list[int]
    """Which of all targets they are."""

    values: list[Array]
    """Each of shape (n_rows,)."""

    @property
    def n_samples(self) -> int:
        """The number of samples."""
        return len(self.values[0])

    def select(self, block: Any) -> Any:
        """Return the rows of a block, dense or sparse, that the targets have values for."""
        return block if self.rows is None else block[self.rows]


class TargetFacts(NamedTuple):
    """What of targets is told beside their scores."""

    several: bool
    names: list[str] | None
    n_samples: int
    n_missing: list[int]


class Targets:
    """One target or several of the same samples.

    Parameters
    ----------
    y : array-like of shape (n_samples,) or (n_samples, n_targets)
        The values; a data frame names its targets.
    n_samples : int
        The samples of the matrix.
    task : {"regression", "classification"} or None
        None where a score function alone decides what a target must be.
    omit : bool
        Whether a missing value leaves its sample out, for its target alone. Otherwise it is a
        ValueError.

    Attributes
    ----------
    several : bool
        Whether `y` has two dimensions: then results have one for the targets, too.
    names : list of str or None
        The names of several targets, where they have any.
    n_samples : int
        The samples of the matrix.
    n_missing : list of int
        The missing values of each target.
    groups : list of TargetGroup
    """

    def __init__(self, y: Any, n_samples: int, *, task: Task | None, omit: bool) -> None:
        columns, self.names = target_columns(y)
        self.several = columns is not None
        self.n_samples = n_samples
        self.n_missing: list[int] = []
        groups: dict[bytes | None, TargetGroup] = {}
        for position, column in enumerate([y] if columns is None else columns):
            label = "y" if columns is None else f"y[:, {position}]"
            rows, values = check_target(column, n_samples, task=task, omit=omit, label=label)
            self.n_missing.append(n_samples - len(values))
            group = groups.setdefault(
                None if rows is None else rows.tobytes(), TargetGroup(rows, [], [])
            )
            group.positions.append(position)
            group.values.append(values)
        self.groups = list(groups.values())

    def __len__(self) -> int:
        return len(self.n_missing)

    @property
    def facts(self) -> TargetFacts:
        """What is told of them without their values."""
        return TargetFacts(self.several, self.names, self.n_samples, self.n_missing)

    def fingerprint_parts(self) -> Iterator[Any]:
        """Yield the values, and which samples they belong to."""
        yield self.several
        for group in self.groups:
            yield group.rows
            yield repr(group.positions)
            for values in group.values:
                # Objects are addresses, which other processes have elsewhere.
                yield repr(values.tolist()).encode() if values.dtype.hasobject else values
