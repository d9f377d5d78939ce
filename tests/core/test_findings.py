"""Findings: the first few of a check are shown, all are counted, and an error ends the run."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollsignal.core.findings import SHOWN_FINDINGS, Findings, LocatedFinding
from rollsignal.errors import DataError

CHECKS = ["order", "ohlc"]
counts = st.lists(st.tuples(st.sampled_from(CHECKS), st.integers(1, 3)), max_size=20)


class Messages(list[tuple[str, str]]):
    """A receiver of messages."""

    def __call__(self, level: str, text: str) -> None:
        self.append((level, text))


def finding(check: str, row: int) -> LocatedFinding:
    return LocatedFinding(check, "a.csv", row, "", None, f"{check} {row}")


def reported(
    drawn: list[tuple[str, int]], level: str, to_the_end: bool = False
) -> tuple[Findings, Messages]:
    messages = Messages()
    findings = Findings(dict.fromkeys(CHECKS, level), messages, to_the_end)
    for row, (check, count) in enumerate(drawn):
        findings.report(finding(check, row), count)
    return findings, messages


@given(counts, st.sampled_from(["warn", "error"]))
def test_all_are_counted_and_the_first_few_of_each_check_are_shown(
    drawn: list[tuple[str, int]], level: str
) -> None:
    findings, messages = reported(drawn, level, to_the_end=True)
    first = {
        name: [finding(check, row) for row, (check, _) in enumerate(drawn) if check == name][
            :SHOWN_FINDINGS
        ]
        for name in CHECKS
    }
    assert findings.first == {name: few for name, few in first.items() if few}
    sums = {name: sum(count for check, count in drawn if check == name) for name in CHECKS}
    assert {name: findings.counts[name] for name in CHECKS} == sums
    level_shown = "ERROR" if level == "error" else "WARNING"
    expected = sorted(
        (each for few in first.values() for each in few), key=lambda each: each.row or 0
    )
    assert messages == [(level_shown, each.message) for each in expected]


@given(counts)
def test_a_check_that_is_off_is_not_even_counted(drawn: list[tuple[str, int]]) -> None:
    findings, messages = reported(drawn, "off", to_the_end=True)
    assert (findings.counts, findings.first, messages) == ({}, {}, [])


def test_the_first_error_ends_a_run() -> None:
    with pytest.raises(DataError, match=r"^order 0$"):
        reported([("order", 1), ("ohlc", 1)], "error")


@given(counts, st.sampled_from(["warn", "off"]))
def test_a_muted_finding_is_counted_as_if_it_was_reported(
    drawn: list[tuple[str, int]], level: str
) -> None:
    reporting, _ = reported(drawn, level)
    muting = Findings(dict.fromkeys(CHECKS, level), Messages())
    for row, (check, count) in enumerate(drawn):
        if not muting.is_muted(check, count):
            muting.report(finding(check, row), count)
    assert (muting.counts, muting.first) == (reporting.counts, reporting.first)
