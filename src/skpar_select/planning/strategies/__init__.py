"""The ways to read a matrix. The planner takes the cheapest of those that fit the budget."""

from skpar_select.planning.strategies._base import Strategy
from skpar_select.planning.strategies._copying import copy_tiles
from skpar_select.planning.strategies._direct import Direct
from skpar_select.planning.strategies._in_memory import InMemory
from skpar_select.planning.strategies._reread import Reread
from skpar_select.planning.strategies._spill import Spill
from skpar_select.planning.strategies._whole_chunks import WholeChunks

# Of two that cost the same, the earlier is taken.
STRATEGIES: tuple[type[Strategy], ...] = (WholeChunks, Direct, Reread, InMemory, Spill)

__all__ = [
    "STRATEGIES",
    "Direct",
    "InMemory",
    "Reread",
    "Spill",
    "Strategy",
    "WholeChunks",
    "copy_tiles",
]
