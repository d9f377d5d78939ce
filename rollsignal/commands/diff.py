"""This module is the story of a comparison: which signals differ between two runs, and why."""

import filecmp

from rollsignal.analysis.difference import difference
from rollsignal.analysis.difference_report import NOT_COMPARED, Compared
from rollsignal.analysis.past_run import PastRun, past_run
from rollsignal.errors import UsageError
from rollsignal.files.open import is_file


def compare(path_a: str, path_b: str) -> Compared:
    """Compare the signals of two runs, each given by its table of signals or its record.

    Where a record names no signals, or they no longer exist, only the digests are compared. Raises
    `InputError` and `DataError` for a file that cannot be read, `UsageError` where there is nothing
    to compare.
    """
    a, b = past_run(path_a), past_run(path_b)
    if a.signals is not None and b.signals is not None:
        return _compared_by_tables(a, b, a.signals, b.signals)
    if a.digest is None or b.digest is None:
        raise UsageError("The runs cannot be compared", f"{NOT_COMPARED}, nor its digest")
    return Compared(a, b, a.digest == b.digest)


def _compared_by_tables(a: PastRun, b: PastRun, path_a: str, path_b: str) -> Compared:
    if _same_bytes(path_a, path_b):
        from rollsignal.outputs.signals.tables import guarded, stored_signals

        with guarded(path_a):
            stored_signals(path_a)
        return Compared(a, b, equal=True)
    differences = difference(path_a, path_b, (a.window, b.window))
    return Compared(a, b, differences.rows.is_empty(), differences)


def _same_bytes(a: str, b: str) -> bool:
    if not (is_file(a) and is_file(b)):
        return False
    return filecmp.cmp(a, b, shallow=False)
