"""This module takes a part of the cases of a sweep, or all of them where that is asked for.

`make check` does a part, and `make check-sweeps` all, of the tests with the mark `sweep`.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from itertools import islice
from typing import TypeVar

import pytest

WHOLE = os.environ.get("ROLLSIGNAL_SWEEPS") == "whole"

Case = TypeVar("Case")

sweep = pytest.mark.sweep


def part_of(cases: Iterable[Case], every: int) -> list[Case]:
    """Return one of so many cases, always the same ones.

    Where each place has a case for each of some values, `every` must have no divisor in common
    with their number: then all values are tried, in places that differ.
    """
    return list(islice(cases, 0, None, 1 if WHOLE else every))


def examples(count: int) -> int:
    """Return how many examples to draw where the whole sweep draws `count`."""
    return count if WHOLE else count // 4
