"""This module finds what is wrong with the order of bars: steps back in time and duplicates."""

from collections.abc import Sequence
from operator import lt
from typing import NamedTuple

from rollsignal.timestamps import Moment, iso, to_ns


class Finding(NamedTuple):
    """One bar that breaks a rule; `place` counts from the start of the batch."""

    check: str
    place: int
    what: str


def order_findings(moments: Sequence[Moment], last_ns: int | None) -> list[Finding]:
    """Find every bar that is not later than the one before it.

    `last_ns` is the last timestamp before these, in nanoseconds since 1970 UTC.

    >>> order_findings([60, 60, 30], last_ns=None)[0].check
    'duplicates'
    """
    findings: list[Finding] = []
    if moments and last_ns is not None:
        findings += _compare(last_ns, to_ns(moments[0]), 0)
    if not all(map(lt, moments, moments[1:])):
        for index in range(1, len(moments)):
            findings += _compare(to_ns(moments[index - 1]), to_ns(moments[index]), index)
    return findings


def _compare(earlier_ns: int, ns: int, place: int) -> list[Finding]:
    if earlier_ns < ns:
        return []
    if earlier_ns == ns:
        return [Finding("duplicates", place, "is the same as in the row before")]
    return [Finding("order", place, f"is before {iso(earlier_ns)}, that of the row before")]
