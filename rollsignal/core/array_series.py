"""This module advances the account of one series on arrays."""

from collections.abc import Callable

from rollsignal.core.array_bars import ArrayBatch
from rollsignal.core.arrays import advance_array
from rollsignal.core.decisions import ArrayDecided
from rollsignal.core.findings import times_misfit
from rollsignal.core.kernel import Account
from rollsignal.core.reader import Reader


def advance_series(
    account: Account, symbol: str, batch: ArrayBatch, reader: Reader
) -> tuple[Account, Callable[[], ArrayDecided]] | None:
    """Decide the bars of a series; return its next account, and what makes the decided bars.

    Return None if arrays cannot decide them, or if their times are not in order.
    """
    times, first_ns, last_ns = batch.timestamps_ns, account.first_ns, account.last_ns
    if times_misfit(account, reader.name, times is not None, reader.zoned):
        return None
    if times is not None:
        follows = last_ns is None or int(times[0]) > last_ns
        if not (follows and (times[1:] > times[:-1]).all()):
            return None
        first_ns = int(times[0]) if first_ns is None else first_ns
        last_ns = int(times[-1])
    advanced = advance_array(account.carry, batch.closes)
    if advanced is None:
        return None
    margins, carry = advanced
    tally, last = account.tally.plus(margins.tally), margins.last(carry.window)
    end = last_ns, reader.name, reader.zoned

    def decided() -> ArrayDecided:
        numbers = None if times is not None else margins.numbers(account.tally.rows)
        columns = (times, numbers, *margins.padded(), margins.scale)
        return ArrayDecided(reader.path, [symbol], None, *columns)

    return Account(carry, tally, last, first_ns, *end), decided
