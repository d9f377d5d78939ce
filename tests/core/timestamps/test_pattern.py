"""Patterns of timestamps: what each directive matches, and which patterns are refused."""

import re
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollsignal.core.timestamps.pattern import (
    DIRECTIVES,
    GROUPS,
    PatternError,
    compiled,
    expression,
    pattern_of,
)


def match_of(pattern: str, cell: str) -> re.Match[str] | None:
    return compiled(expression(pattern)).fullmatch(cell)


@pytest.mark.parametrize(
    ("pattern", "problem"),
    [
        ("%Y-%m-%d %T", "has the unknown directive %T (known: %Y %y %m %b %B %d %H %I %M "),
        ("%Y-%m-%d %é", "has the unknown directive %é"),
        ("%Y-%m-%-d", "has the unknown directive %-"),
        ("%Y-%m-%d %", "has the unknown directive % (known"),
        ("%Y-%m-%d %\n%H", "has the unknown directive %\\n (known"),
        ("%Y-%m-%d %Y", "has the year twice"),
        ("%Y-%m-%d %y", "has the year twice"),
        ("%d %b %m %Y", "has the month twice"),
        ("%Y-%m-%d %H:%I %p", "has the hour twice"),
        ("%Y-%m-%d %H%z%Z", "has the zone twice"),
        ("%d/%m", "does not have the year (%Y)"),
        ("%H:%M", "does not have the year (%Y)"),
        ("%%Y", "does not have the year (%Y)"),
        ("%Y-%d", "does not have the month (%m)"),
        ("%Y %H:%M", "does not have the month (%m)"),
        ("%Y-%m %H", "does not have the day (%d)"),
        ("%Y-%m-%d %M:%S", "does not have the hour (%H)"),
        ("%Y-%m-%d %H:%S", "does not have the minute (%M)"),
        ("%Y-%m-%d %H:%M.%f", "does not have the second (%S)"),
        ("%Y-%m-%d %H:%M %p", "has only one of %I and %p, which belong together"),
        ("%Y-%m-%d %I:%M", "has only one of %I and %p, which belong together"),
    ],
)
def test_a_pattern_that_does_not_describe_a_timestamp_is_refused(
    pattern: str, problem: str
) -> None:
    with pytest.raises(PatternError) as caught:
        expression(pattern)
    assert str(caught.value).startswith(problem)


@pytest.mark.parametrize("pattern", ["%Y", "%Y-%m", "%Y-%m-%d", "%y%m%d", "%Y-%m-%d %H", "%B %Y"])
def test_a_pattern_may_end_after_any_unit(pattern: str) -> None:
    assert expression(pattern)


def test_every_directive_that_is_offered_is_known() -> None:
    twins = {"y": "Y", "B": "b", "I": "H", "Z": "z"}
    whole = "%Y %b %d %I %M %S %f %p %z"
    for letter in DIRECTIVES:
        pattern = whole.replace(f"%{twins[letter]}", f"%{letter}") if letter in twins else whole
        assert expression(pattern.replace("%b", "%m") if letter == "m" else pattern)


@given(st.text())
def test_any_text_is_a_pattern_or_refused_with_a_pattern_error(text: str) -> None:
    with suppress(PatternError):
        assert compiled(expression(text)).groups >= len(GROUPS)


@given(st.text().filter(lambda text: "%" not in text and text == text.strip()))
def test_text_that_is_not_a_directive_stands_for_itself(text: str) -> None:
    pattern = f"%Y{text}".strip()
    assert match_of(pattern, pattern.replace("%Y", "2024"))


def test_a_blank_stands_for_one_or_more_blanks() -> None:
    assert match_of("%Y %m  %d", "2024 \t 01 31")
    assert not match_of("%Y %m", "202401")
    assert match_of(" %Y ", "2024")


@pytest.mark.parametrize(
    ("pattern", "cell", "fits"),
    [
        ("%d/%m/%Y", "1/2/2024", True),
        ("%d/%m/%Y", "001/2/2024", False),
        ("%d%m%Y", "122024", False),
        ("%d%m%Y", "01022024", True),
        ("%Y-%m%d", "2024-131", False),
        ("%Y-%m%d", "2024-0131", True),
        ("%Y%b%d", "2024Feb1", True),
        ("%d %b %Y", "1 february 2024", True),
        ("%d %B %Y", "1 FEB 2024", True),
        ("%d %B %Y", "1 Febr 2024", False),
        ("%Y-%m-%d %H:%M", "2024-01-31 9:30", True),
        ("%Y-%m-%d %H:%M", "2024-01-31 9:3", False),
        ("%Y-%m-%d %I:%M%p", "2024-01-31 9:30Pm", True),
        ("%Y-%m-%d %I:%M%p", "2024-01-31 9:30 pm", False),
        ("%Y.%m", "2024-01", False),
        ("%Y", "٢٠٢٤", False),
        ("%YT%m", "2024t01", True),
    ],
)
def test_numbers_may_lack_a_zero_unless_they_touch_another(
    pattern: str, cell: str, fits: bool
) -> None:
    assert bool(match_of(pattern, cell)) == fits


@pytest.mark.parametrize(
    "pattern", ["%d/%m/%Y %H:%M:%S.%f", "%Y%m%d %I%M %p%z", "%b %d, %y", "%Y-%m-%dT%H:%M:%SZ"]
)
def test_the_pattern_of_what_it_matches_is_the_pattern(pattern: str) -> None:
    cells = {
        "%d/%m/%Y %H:%M:%S.%f": "31/01/2024 09:30:00.123",
        "%Y%m%d %I%M %p%z": "20240131 0930 AM+05:30",
        "%b %d, %y": "Jan 31, 24",
        "%Y-%m-%dT%H:%M:%SZ": "2024-01-31T09:30:00Z",
    }
    match = match_of(pattern, cells[pattern])
    assert match
    assert pattern_of(match) == pattern


def test_a_group_that_a_pattern_lacks_is_empty() -> None:
    match = match_of("%Y", "2024")
    assert match
    assert match.group("Y", "m", "b", "z") == ("2024", "", "", "")
