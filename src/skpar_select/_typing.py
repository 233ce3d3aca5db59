"""Type aliases that the modules share."""

from collections.abc import Callable, Mapping
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

Array: TypeAlias = NDArray[Any]
FloatArray: TypeAlias = NDArray[np.float64]
BoolArray: TypeAlias = NDArray[np.bool_]
IndexArray: TypeAlias = NDArray[np.intp]
Names: TypeAlias = NDArray[np.object_]

# Rows or columns in any order and repeated; a range may be longer than memory.
Index: TypeAlias = range | IndexArray
Task: TypeAlias = Literal["regression", "classification"]
Missing: TypeAlias = Literal["raise", "omit", "skip"]
Aggregate: TypeAlias = Literal["max", "mean"]
Marginals: TypeAlias = Literal["raw", "rank"]
FdrMethod: TypeAlias = Literal["bh", "by"]
TestOf: TypeAlias = Literal["mi", "combined"]
Prefer: TypeAlias = Literal["threads", "processes", "either"]
ScoreFunc: TypeAlias = Callable[[Any, Any], Any]

# What a scorer gives for a block, by name: a value for each column of the block, or one for each column
# and target.
Result: TypeAlias = Mapping[str, FloatArray]
