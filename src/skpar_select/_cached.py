"""A property that is computed once, without a lock.

`functools.cached_property` of Python 3.11 holds one lock for all objects of a class while it computes: fits
in threads would wait for each other, and a process that is forked meanwhile for ever
(https://github.com/python/cpython/issues/87634). Two threads may compute it at once here, and get the same.
"""

from collections.abc import Callable
from typing import Any, Generic, TypeVar, overload

Value = TypeVar("Value")


class CachedProperty(Generic[Value]):
    """The value of a method without arguments, kept in the object from the first time on."""

    def __init__(self, compute: Callable[[Any], Value]) -> None:
        self._compute = compute
        self.__doc__ = compute.__doc__

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    @overload
    def __get__(self, holder: None, owner: type) -> "CachedProperty[Value]": ...
    @overload
    def __get__(self, holder: object, owner: type) -> Value: ...
    def __get__(self, holder: object | None, owner: type) -> "CachedProperty[Value] | Value":
        if holder is None:
            return self
        # Without a setter, what the object itself holds comes first.
        value = holder.__dict__[self._name] = self._compute(holder)
        return value
