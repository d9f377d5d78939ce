"""Calls of the system that fail when they are made for the Nth time."""

from __future__ import annotations

import os
from typing import Any

import pytest


class FailingCalls:
    """The calls of one function of `os` on relative paths, of which one fails.

    `count` is how many were made since `fail_at`. Paths of Python itself are absolute.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch, name: str, number: int) -> None:
        self.count = 0
        self._failing = 0
        self._number = number
        self._call = getattr(os, name)
        monkeypatch.setattr(os, name, self._called)

    def fail_at(self, count: int) -> None:
        """Have the call fail that is made for this time from now on."""
        self.count, self._failing = 0, count

    def _called(self, path: Any, *arguments: Any, **named: Any) -> Any:
        if isinstance(path, str) and not os.path.isabs(path):
            self.count += 1
            if self.count == self._failing:
                raise OSError(self._number, os.strerror(self._number), path)
        return self._call(path, *arguments, **named)
