"""This module defines bars that wait: they were read, and later bars must come to decide them."""

from typing import NamedTuple


class WaitingBar(NamedTuple):
    """A bar among the newest of its series, so that it may be unfinished.

    ns: its timestamp in ns since 1970 UTC, None without any. close: in ticks of 10^-scale, None if
    it is missing. file: the path of the file that it is from; `zoned` is whether the times of that
    file are known in UTC. disputed: whether another file of the same run, in which the bar is among
    the newest too, has another close.
    """

    symbol: str
    ns: int | None
    close: int | None
    scale: int
    file: str
    zoned: bool | None = None
    disputed: bool = False
