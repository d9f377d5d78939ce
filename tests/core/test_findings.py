"""What the checks find is told a few times, counted always, and ends a run if it is an error."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollsignal.core.findings import SHOWN_FINDINGS, Findings, LocatedFinding
from rollsignal.errors import DataError

CHECKS = ["order", "ohlc"]
counts = st.lists(st.tuples(st.sampled_from(CHECKS), st.integers(1, 3)), max_size=20)


class Heard(list[tuple[str, str]]):
    """Someone who hears of findings."""

    def __call__(self, level: str, text: str) -> None:
        self.append((level, text))


def doubt(check: str, row: int) -> LocatedFinding:
    return LocatedFinding(check, "a.csv", row, "", None, f"{check} {row}")


def heeded(
    found: list[tuple[str, int]], level: str, to_the_end: bool = False
) -> tuple[Findings, Heard]:
    heard = Heard()
    findings = Findings(dict.fromkeys(CHECKS, level), heard, to_the_end)
    for row, (check, count) in enumerate(found):
        findings.report(doubt(check, row), count)
    return findings, heard


@given(counts, st.sampled_from(["warn", "error"]))
def test_all_are_counted_and_the_first_few_of_each_check_are_told(
    found: list[tuple[str, int]], level: str
) -> None:
    findings, heard = heeded(found, level, to_the_end=True)
    first = {
        name: [doubt(check, row) for row, (check, _) in enumerate(found) if check == name][
            :SHOWN_FINDINGS
        ]
        for name in CHECKS
    }
    assert findings.first == {name: few for name, few in first.items() if few}
    sums = {name: sum(count for check, count in found if check == name) for name in CHECKS}
    assert {name: findings.counts[name] for name in CHECKS} == sums
    told = "ERROR" if level == "error" else "WARNING"
    expected = sorted((one for few in first.values() for one in few), key=lambda one: one.row or 0)
    assert heard == [(told, one.message) for one in expected]


@given(counts)
def test_a_check_that_is_off_is_not_even_counted(found: list[tuple[str, int]]) -> None:
    findings, heard = heeded(found, "off", to_the_end=True)
    assert (findings.counts, findings.first, heard) == ({}, {}, [])


def test_the_first_error_ends_a_run() -> None:
    with pytest.raises(DataError, match=r"^order 0$"):
        heeded([("order", 1), ("ohlc", 1)], "error")


@given(counts, st.sampled_from(["warn", "off"]))
def test_what_is_passed_over_is_counted_as_if_it_was_heeded(
    found: list[tuple[str, int]], level: str
) -> None:
    heeding, _ = heeded(found, level)
    passing = Findings(dict.fromkeys(CHECKS, level), Heard())
    for row, (check, count) in enumerate(found):
        if not passing.is_muted(check, count):
            passing.report(doubt(check, row), count)
    assert (passing.counts, passing.first) == (heeding.counts, heeding.first)
