"""This module puts the files of one series in the order of time."""

from collections.abc import Callable, Sequence

from rollsignal.bars.source import symbol_of
from rollsignal.config import JobConfig


def in_time_order(
    paths: Sequence[str], config: JobConfig, first_ns: Callable[[str], int | None]
) -> list[str]:
    """Order files by their first timestamp, or leave them by name where one has none.

    Only files that continue the same series are ordered among themselves.
    """
    groups: dict[str | None, list[str]] = {}
    for path in paths:
        groups.setdefault(symbol_of(path, config), []).append(path)
    return [path for group in groups.values() for path in _ordered(group, first_ns)]


def _ordered(paths: list[str], first_ns: Callable[[str], int | None]) -> list[str]:
    if len(paths) == 1:
        return paths
    begins = {path: first_ns(path) for path in paths}
    known = {path: begin for path, begin in begins.items() if begin is not None}
    return (
        sorted(paths, key=lambda path: known[path]) if len(known) == len(paths) else sorted(paths)
    )
