"""This module measures what a column of signals needs of its type."""

from typing import NamedTuple


class Widths(NamedTuple):
    """What timestamps and closes need of their types.

    `whole` and `decimals` are the most digits of a close before and after its point; `fits_us` is
    whether all timestamps are whole microseconds, and `fits_ns` whether they fit into 64 bits of
    nanoseconds.
    """

    whole: int = 0
    decimals: int = 0
    fits_us: bool = True
    fits_ns: bool = True

    def joined(self, more: "Widths") -> "Widths":
        """Return what both need together."""
        return Widths(
            max(self.whole, more.whole),
            max(self.decimals, more.decimals),
            self.fits_us and more.fits_us,
            self.fits_ns and more.fits_ns,
        )
