"""How a matrix is read within a budget: arithmetic, and the strategies that it chooses from."""

from skpar_select.planning._needs import Limits, Needs
from skpar_select.planning._plan import Plan, bytes_of_arrays, plan_reads, with_overhead
from skpar_select.planning._shards import Shard, ShardCost, columns_of_shard, cost_of_shard
from skpar_select.planning._tiles import Tiles, plan_tiles
from skpar_select.planning.strategies import Strategy, copy_tiles

__all__ = [
    "Limits",
    "Needs",
    "Plan",
    "Shard",
    "ShardCost",
    "Strategy",
    "Tiles",
    "bytes_of_arrays",
    "columns_of_shard",
    "copy_tiles",
    "cost_of_shard",
    "plan_reads",
    "plan_tiles",
    "with_overhead",
]
