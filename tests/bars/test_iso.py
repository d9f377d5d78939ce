"""Whole columns of ISO 8601 timestamps: accepted if and only if every one is a moment."""

import re
from collections.abc import Sequence
from datetime import date, datetime, time, timedelta

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn

from rollsignal.bars.iso import LENGTHS, as_bytes, is_iso

SHAPE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}(?:[T ][0-9]{2}:[0-9]{2}(?::[0-9]{2})?)?", re.ASCII)
SIGNS = "0123456789-: T/.Zt+W\x00\x7f\x01"


def accepted(texts: Sequence[str]) -> bool:
    """Ask about texts of one length."""
    width = len(texts[0])
    return is_iso(np.frombuffer("".join(texts).encode(), np.uint8).reshape(-1, width))


def is_moment(text: str) -> bool:
    """Decide by the standard library, one at a time."""
    if not SHAPE.fullmatch(text):
        return False
    try:
        date.fromisoformat(text[:10])
        time.fromisoformat(text[11:] or "00:00")
        hours = int(text[11:13] or 0)
    except ValueError:
        return False
    return hours < 24


@st.composite
def stamps(draw: DrawFn, length: int) -> str:
    """Draw a valid timestamp: month ends, leap days and the ends of years often."""
    ends = st.sampled_from(["2024-02-29", "2023-02-28", "1900-02-28", "2000-02-29", "9999-12-31"])
    days = st.one_of(ends, st.dates().map(str))
    clocks = st.one_of(st.just("23:59:59"), st.datetimes().map(lambda at: at.strftime("%H:%M:%S")))
    return f"{draw(days)} {draw(clocks)}"[:length]


@st.composite
def columns(draw: DrawFn) -> list[str]:
    """Draw valid timestamps of one length with one separator, then change a few characters."""
    length = draw(st.sampled_from(LENGTHS))
    found = draw(st.lists(stamps(length), min_size=1, max_size=5))
    found *= draw(st.sampled_from([1, 1, 13, 64]))
    separator = draw(st.sampled_from(" T"))
    found = [stamp[:10] + stamp[10:].replace(" ", separator) for stamp in found]
    for _ in range(draw(st.integers(0, 2))):
        row, place = draw(st.integers(0, len(found) - 1)), draw(st.integers(0, length - 1))
        sign = draw(st.sampled_from(SIGNS))
        found[row] = found[row][:place] + sign + found[row][place + 1 :]
    return found


@given(columns())
def test_a_column_is_accepted_if_each_text_is_a_moment_and_all_have_one_form(
    texts: list[str],
) -> None:
    one_form = len({text[10:11] for text in texts}) == 1
    assert accepted(texts) == (one_form and all(map(is_moment, texts)))


@given(st.lists(stamps(19), min_size=2, max_size=80))
def test_their_order_as_text_is_their_order_in_time(texts: list[str]) -> None:
    assert accepted(texts)
    assert sorted(texts) == sorted(texts, key=datetime.fromisoformat)


@pytest.mark.parametrize("year", [1, 4, 100, 400, 1900, 1999, 2000, 2023, 2024, 2100, 9999])
@pytest.mark.parametrize("month", range(1, 13))
def test_every_month_has_its_days(year: int, month: int) -> None:
    for day in range(32):
        text = f"{year:04d}-{month:02d}-{day:02d}"
        assert accepted([text]) == is_moment(text)
        assert accepted([text, text]) == accepted(["2024-01-01", text]) == is_moment(text)


def test_every_time_of_the_day_is_accepted_and_no_other() -> None:
    for hour in range(30):
        for minute in (0, 9, 59, 60, 61, 99):
            text = f"2024-01-01 {hour:02d}:{minute:02d}"
            assert accepted([text]) == is_moment(text)
            assert accepted([f"{text}:{minute:02d}"]) == is_moment(text)


@pytest.mark.parametrize("rows", [1, 63, 64, 65, 127, 128, 200])
def test_a_bad_day_is_found_in_any_row(rows: int) -> None:
    day = datetime(2024, 1, 31)
    texts = [str(day + timedelta(hours=row)) for row in range(rows)]
    assert accepted(texts)
    for row in {0, 1, 62, 63, 64, rows // 2, rows - 1} & set(range(rows)):
        for bad in ("2024-02-30 00:00:00", "2023-02-29 00:00:00", "2024-01-31 24:00:00"):
            assert not accepted([*texts[:row], bad, *texts[row + 1 :]])


def test_the_same_day_of_another_century_is_looked_at_for_itself() -> None:
    assert accepted(["2000-02-29", "2000-02-29"])
    assert not accepted(["2000-02-29", "1900-02-29"])
    assert not accepted(["2000-02-29"] * 100 + ["2100-02-29"])


@given(st.lists(st.text("0123-: é", min_size=10, max_size=10), min_size=1, max_size=20))
def test_texts_of_one_length_are_laid_out_as_their_bytes(texts: list[str]) -> None:
    width = max(len(text.encode()) for text in texts)
    texts = [text for text in texts if len(text.encode()) == width]
    frame = pl.DataFrame({"text": texts}).select(as_bytes(pl.col("text"), width))
    found = frame["text"].to_numpy()
    assert [row.tobytes() for row in found] == [text.encode() for text in texts]
