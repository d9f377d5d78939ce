"""This module adds up the digest of decided bars as they arrive."""

from rollsignal.core.decisions import Decided
from rollsignal.core.digest import SymbolKeys, plus


class Digester:
    """Add up the digest of all bars received; `digest` is the sum so far."""

    def __init__(self, digest: int = 0) -> None:
        self.digest = digest
        self._keys = SymbolKeys()

    def take(self, bars: Decided) -> None:
        """Receive the next decided bars."""
        self.digest = plus(self.digest, bars.digest(self._keys))
