"""This module holds a solution: settings with which a table is read, and what its rows then are."""

from collections.abc import Mapping
from typing import NamedTuple

from rollsignal.engines.first_rows import Look

Settings = Mapping[str, object]
"""Settings by their dotted names, as JSON values."""


class Solution(NamedTuple):
    """Settings that let a table in, what its first rows then are, and why each setting is there.

    `asked` are the settings that must be asked for although nothing else was found.
    """

    settings: Settings
    look: Look
    why: Mapping[str, str] = {}
    asked: frozenset[str] = frozenset()

    def asking(self, name: str) -> "Solution":
        """Return the solution with one more setting that must be asked for."""
        return self._replace(asked=self.asked | {name})
