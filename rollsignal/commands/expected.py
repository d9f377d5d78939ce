"""This module holds a run to the time that its newest bar must have reached."""

from rollsignal.config.request import Request
from rollsignal.core.findings import Found
from rollsignal.core.timestamps.reader import asked_ns, iso
from rollsignal.errors import InputError, UsageError

_EXPECT = "--expect"


def expected_ns(request: Request) -> int | None:
    """Return the time of `--expect` in nanoseconds, None without it; raises `UsageError`."""
    if request.expect is None:
        return None
    hint = "write for example 2024-01-31 or 2024-01-31T23:59:00Z"
    wanted_ns = asked_ns(_EXPECT, request.expect, hint)
    if request.until is not None and asked_ns("--until", request.until, hint) <= wanted_ns:
        raise UsageError(f"{_EXPECT} {request.expect} is not before --until {request.until}")
    return wanted_ns


def check_expected(request: Request, found: Found) -> None:
    """Raise `InputError` if no bar at or after the time of `--expect` was read."""
    wanted_ns = expected_ns(request)
    if wanted_ns is None:
        return
    newest_ns, _ = found.newest_bar
    if newest_ns is None:
        raise InputError(f"bars up to {iso(wanted_ns)} are expected, and no timestamps are read")
    if newest_ns < wanted_ns:
        raise InputError(
            f"bars up to {iso(wanted_ns)} are not there yet; the newest is {iso(newest_ns)}",
            "try again when they have been delivered",
        )
