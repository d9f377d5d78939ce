"""This module says what is known of a series between two batches, files or runs."""

from typing import NamedTuple

from rollsignal.kernel import Carry, Last, Tally


class Series(NamedTuple):
    """What is known of one series: its carry and tally, its last bar, its time span."""

    carry: Carry
    tally: Tally = Tally()
    last: Last | None = None
    first_ns: int | None = None
    last_ns: int | None = None
    last_file: str = ""
