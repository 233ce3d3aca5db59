"""Estimators that work in a pool of the caller's."""

import copy
from typing import Any

from sklearn.base import _clone_parametrized


class SharesExecutor:
    """For an estimator with the parameter ``executor``: its copies work in the same pool.

    A pool cannot be copied, nor sent to another process. So copies share it, clones too, and a pickle
    leaves it behind: what comes out of one has ``executor=None``.
    """

    executor: Any

    def __sklearn_clone__(self) -> Any:
        bare = copy.copy(self)
        bare.executor = None
        cloned = _clone_parametrized(bare)
        cloned.executor = self.executor
        return cloned

    def __copy__(self) -> Any:
        copied = type(self).__new__(type(self))
        copied.__dict__.update(self.__dict__)
        return copied

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        copied = type(self).__new__(type(self))
        memo[id(self)] = copied
        memo[id(self.executor)] = self.executor
        copied.__dict__.update(copy.deepcopy(self.__dict__, memo))
        return copied

    def __getstate__(self) -> Any:
        state: Any = super().__getstate__()
        return state | {"executor": None}
