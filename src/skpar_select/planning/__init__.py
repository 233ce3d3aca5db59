"""How a matrix is read within a budget: arithmetic, and the strategies that it chooses from."""

from skpar_select.planning._needs import Limits, Needs
from skpar_select.planning._plan import Plan, plan_reads
from skpar_select.planning._tiles import Tiles, plan_tiles
from skpar_select.planning.strategies import Strategy, copy_tiles

__all__ = [
    "Limits",
    "Needs",
    "Plan",
    "Strategy",
    "Tiles",
    "copy_tiles",
    "plan_reads",
    "plan_tiles",
]
