"""Damaged files: read as they stand, or refused, and never quietly wrong."""

from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn

from rollsignal.errors import DataError
from tests.support import oracle
from tests.support.tables import Bars, Style, Table, read, tables

ENCODINGS = ["utf-8", "utf-8-sig", "utf-16", "utf-32"]
SIGNS = st.sampled_from("0123456789.,;|-+eE'\"_ \t\n\r\0\ufeff٥$%xN")


@st.composite
def layouts(draw: DrawFn) -> tuple[Style, int]:
    """Draw how a table is written, and in which column its closes are: -1 if they are alone."""
    column = draw(st.sampled_from([-1, 0, 1, 3]))
    quoting = draw(
        st.sampled_from(["none", "fields", "lines"] if column >= 0 else ["none", "fields"])
    )
    style = Style(
        # A tab between quotes is a blank around a number, and simple splitting ignores quotes.
        delimiter=draw(st.sampled_from(",;|" if quoting == "fields" else ",;|\t")),
        line_end=draw(st.sampled_from(["\n", "\r\n", "\r"])),
        quoted=frozenset(range(4) if quoting == "fields" else ()),
        wrapped="all" if quoting == "lines" else "no",
    )
    return style, column


def text_of(closes: list[str], style: Style, column: int) -> str:
    """Write a table of closes, which may be any text, in the quotes of the style."""
    lines = []
    for close in ["close", *closes]:
        cells = ["open", "volume", "note"] if column >= 0 else []
        cells.insert(max(column, 0), "@")
        lines.append(style.line(cells).replace("@", close) + style.line_end)
    return "".join(lines)


def split_simply(text: str, style: Style, column: int) -> list[oracle.Price]:
    """Read closes simply: remove the quotes and split at every delimiter."""
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace('"', "")
    rows = [line for line in text.split("\n")[1:] if line.strip(" \t")]
    cells = rows if column < 0 else [row.split(style.delimiter)[column] for row in rows]
    assert all(cell.isascii() and "_" not in cell for cell in cells)
    return oracle.prices(cells)


def accepted(data: bytes | str) -> Bars | None:
    """Return the bars of any data, or None if it is refused with a `DataError`."""
    try:
        return read(data)
    except DataError:
        return None


prices = st.integers(-99_999, 999_999).map(lambda cents: f"{Decimal(cents) / 100:.2f}")
series = st.lists(prices, min_size=2, max_size=5)


@settings(max_examples=250)
@given(series, layouts(), st.data())
def test_a_close_corrupted_by_one_character_is_refused_or_read_as_it_stands(
    closes: list[str], layout: tuple[Style, int], data: st.DataObject
) -> None:
    row = data.draw(st.integers(0, len(closes) - 1))
    spot = data.draw(st.integers(0, len(closes[row])))
    left_out = data.draw(st.sampled_from([0, 1]))
    sign = data.draw(st.one_of(SIGNS, st.just("")) if left_out else SIGNS)
    closes[row] = closes[row][:spot] + sign + closes[row][spot + left_out :]
    text = text_of(closes, *layout)
    bars = accepted(text)
    assert bars is None or bars.closes == split_simply(text, *layout)


@settings(max_examples=100)
@given(series, layouts(), st.data())
def test_a_file_cut_off_anywhere_gives_no_close_that_was_not_there(
    closes: list[str], layout: tuple[Style, int], data: st.DataObject
) -> None:
    text = text_of(closes, *layout)
    first = len(text_of(closes[:1], *layout))
    bars = accepted(text[: data.draw(st.integers(first, len(text)))])
    assert bars is None or bars.closes == oracle.prices(closes)[: len(bars.closes)]


@given(st.sampled_from([b"", b"close\n", b"time,close\n", b'"a;close"\n']), st.binary())
def test_any_bytes_are_read_or_refused(beginning: bytes, rest: bytes) -> None:
    accepted(beginning + rest)


@settings(max_examples=60)
@given(tables(), st.sampled_from(ENCODINGS), st.data())
def test_any_damage_to_bytes_is_read_or_refused(
    table: Table, encoding: str, data: st.DataObject
) -> None:
    whole = table.text.encode(encoding)
    for _ in range(data.draw(st.integers(1, 3))):
        spot = data.draw(st.integers(0, len(whole)))
        change = data.draw(st.binary(max_size=2))
        whole = whole[:spot] + change + whole[spot + data.draw(st.integers(0, 2)) :]
    accepted(whole)


@settings(max_examples=60)
@given(tables(), st.data())
def test_any_damage_to_characters_and_lines_is_read_or_refused(
    table: Table, data: st.DataObject
) -> None:
    pieces = data.draw(st.sampled_from([list(table.text), table.text.splitlines(keepends=True)]))
    for _ in range(data.draw(st.integers(1, 3))):
        spot, length = data.draw(st.integers(0, len(pieces))), data.draw(st.integers(0, 2))
        twice = st.just(pieces[spot : spot + length] * 2)
        pieces[spot : spot + length] = data.draw(st.one_of(twice, st.lists(SIGNS, max_size=2)))
    accepted("".join(pieces))
