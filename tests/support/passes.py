"""Count the passes that NumPy makes over arrays: a measure of speed that a busy machine keeps.

The time that arrays take is the time of passes over memory, so their number and their bytes are
counted, in Python, exactly and equally on every machine. Counting instructions with valgrind would
be more precise, but needs a system package and many seconds, and changes with each NumPy build.
"""

from __future__ import annotations

import contextlib
import sys
import types
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import polars as pl
import pytest


class Passes:
    """Counts of the calls that go over arrays, and of the bytes that they read and write."""

    def __init__(self) -> None:
        self.calls = 0
        self.bytes = 0

    def add(self, *touched: Any) -> None:
        self.calls += 1
        self.bytes += _bytes(touched)


class Watched(np.ndarray[Any, np.dtype[Any]]):
    """An array that counts in `passes` what is computed on it, and on its slices and results."""

    passes: Passes | None = None

    def __array_finalize__(self, parent: object) -> None:
        if isinstance(parent, Watched) and parent.passes:
            self.passes = parent.passes
            if self.flags.owndata:  # a copy, made by a method
                self.passes.add(self, parent)

    def __array_ufunc__(
        self, ufunc: np.ufunc, method: str, *inputs: Any, out: Any = (), **rest: Any
    ) -> Any:
        if out:
            rest["out"] = _plain(out)
        return self._counted(getattr(ufunc, method), inputs, rest)

    def __array_function__(self, function: Any, _: Any, args: Any, kwargs: Any) -> Any:
        return self._counted(function, args, _plain(kwargs))

    def _counted(self, compute: Callable[..., Any], args: Any, kwargs: dict[str, Any]) -> Any:
        result = compute(*_plain(args), **kwargs)
        assert self.passes
        self.passes.add(args, result)
        return _watched(result, self.passes)

    def __getitem__(self, at: Any) -> Any:
        plain = self.view(np.ndarray)
        value = plain[_plain(at)]
        assert self.passes
        if isinstance(value, np.ndarray) and not np.may_share_memory(value, plain):
            self.passes.add(at, value, value)  # picked one by one
        return _watched(value, self.passes)

    def __setitem__(self, at: Any, value: Any) -> None:
        plain = self.view(np.ndarray)
        plain[_plain(at)] = _plain(value)
        assert self.passes
        self.passes.add(plain[_plain(at)], value)


def _bytes(touched: Any) -> int:
    if isinstance(touched, list | tuple):
        return sum(map(_bytes, touched))
    return touched.nbytes if isinstance(touched, np.ndarray) else 0


def _plain(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return type(value)(map(_plain, value))
    if isinstance(value, dict):
        return {name: _plain(item) for name, item in value.items()}
    return value.view(np.ndarray) if isinstance(value, Watched) else value


def _watched(value: Any, passes: Passes) -> Any:
    if not isinstance(value, np.ndarray):
        return value
    view = value.view(Watched)
    view.passes = passes
    return view


class _WatchedNumpy(types.ModuleType):
    """NumPy, but the arrays that it makes are watched."""

    def __init__(self, passes: Passes) -> None:
        super().__init__("numpy")
        self._passes = passes

    def __getattr__(self, name: str) -> Any:
        value = getattr(np, name)
        kept = isinstance(value, type | types.ModuleType | np.ufunc) and value is not np.ndarray
        if kept or not callable(value):
            return value
        return lambda *args, **kwargs: _watched(value(*args, **kwargs), self._passes)


@contextlib.contextmanager
def counted(*arrays: np.ndarray[Any, Any]) -> Iterator[tuple[Passes, list[Any]]]:
    """Yield the arrays, watched, and count what is done with them until the end.

    Code that imports NumPy inside its functions, as the program does, gets a NumPy whose new arrays
    are watched too, and so are the arrays that polars returns.
    """
    passes = Passes()
    to_numpy = pl.Series.to_numpy
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "numpy", _WatchedNumpy(passes))
        patch.setattr(pl.Series, "to_numpy", lambda series: _watched(to_numpy(series), passes))
        yield passes, [_watched(array, passes) for array in arrays]
