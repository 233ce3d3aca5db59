"""What a scorer needs, and what the workers and the machine allow: all in numbers."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Needs:
    """What scoring takes besides the blocks themselves."""

    shared_bytes: int = 0
    """What all workers share, such as the target."""

    worker_bytes: int = 0
    """The scratch of one block that is scored, whatever its width."""

    value_bytes: int = 0
    """What is held for each value of a block that is scored, besides the value itself."""

    result_bytes: int = 24
    """What the results of one column take."""

    fewest_columns: int = 1
    """Narrower blocks cost more than their columns, where a block is a view."""


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What the workers and the machine allow, and what all parts of a matrix share."""

    n_features: int
    """Columns of all parts."""

    n_parts: int = 1

    n_workers: int = 1
    """Blocks that are scored at a time."""

    n_on_host: int | None = None
    """Of these, the most on one host, for each of which the budget is; None means all."""

    n_ahead: int = 0
    """Blocks that are read while all workers are busy."""

    shares_memory: bool = True
    """Whether the workers see the memory of this process."""

    same_host: bool = True
    """Whether the workers see the temporary files of this host."""

    scratch_bytes: int = 0
    """Bytes that a temporary file may take."""

    fixed_bytes: int = 0
    """What is held throughout: results, target, scratch of the threads, positions of chunks."""

    @property
    def workers_held(self) -> int:
        """Workers whose memory counts towards one budget."""
        return self.n_workers if self.n_on_host is None else self.n_on_host

    @property
    def in_flight(self) -> int:
        """Blocks that are read or scored at a time, on one host."""
        return self.workers_held + self.n_ahead
