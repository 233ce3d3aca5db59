"""Type aliases that the modules share."""

from collections.abc import Callable
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

Array: TypeAlias = NDArray[Any]
FloatArray: TypeAlias = NDArray[np.float64]
BoolArray: TypeAlias = NDArray[np.bool_]
IndexArray: TypeAlias = NDArray[np.intp]
Names: TypeAlias = NDArray[np.object_]

Columns: TypeAlias = slice | IndexArray
Task: TypeAlias = Literal["regression", "classification"]
ScoreFunc: TypeAlias = Callable[[Any, Any], Any]
