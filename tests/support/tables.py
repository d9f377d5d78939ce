"""This module writes tables in every allowed dialect, and has the careful reader read them."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import datetime, timedelta
from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import pytest
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn

from rollsignal.config.settings import JobConfig
from rollsignal.core.bars import Batch
from rollsignal.core.reader import Reader
from rollsignal.errors import DataError
from rollsignal.files.find import input_of
from rollsignal.readers.blocks import BLOCK_BYTES, FIRST_BYTES
from rollsignal.readers.opening import OpenedFile
from rollsignal.readers.text import TextReader
from tests.support.oracle import Price, prices
from tests.support.strategies import series, spelled

CONFIG = JobConfig(seed=1, window=3, version="t")


class Cut(NamedTuple):
    """How much of a text is read before the fast parser may begin, and the sizes of its blocks."""

    careful_bytes: int = 1 << 40
    first_bytes: int = FIRST_BYTES
    block_bytes: int = BLOCK_BYTES


CAREFUL = Cut()


class Bars(NamedTuple):
    """What a file's rows hold: exact closes, nanoseconds since 1970 if read, physical lines."""

    closes: list[Price]
    times_ns: list[int]
    lines: list[int]


@contextmanager
def opened(
    data: str | bytes, config: JobConfig = CONFIG, cut: Cut = CAREFUL
) -> Iterator[TextReader]:
    """Write a file and open it, to be read carefully unless the cut says otherwise."""
    with TemporaryDirectory() as folder:
        path = Path(folder, "bars.csv")
        path.write_bytes(data if isinstance(data, bytes) else data.encode())
        with closing(
            OpenedFile(
                input_of(str(path)), None, cut.first_bytes, cut.block_bytes, table=config.table
            )
        ) as file:
            yield TextReader(file, config, cut.careful_bytes)


def plain_batches(reader: Reader) -> Iterator[Batch]:
    """Yield each batch as a plain one, as an engine without arrays does."""
    for batch in reader.batches():
        yield batch.plain()


def bars_of(reader: Reader) -> Bars:
    """Read all rows with a reader; raises `DataError`."""
    closes: list[Price] = []
    times_ns: list[int] = []
    lines: list[int] = []
    for batch in plain_batches(reader):
        unit = 10**batch.closes.scale
        closes += [tick if tick is None else Fraction(tick, unit) for tick in batch.closes.values]
        times_ns += batch.timestamps_ns or []
        lines += batch.lines
    return Bars(closes, times_ns, lines)


def read(data: str | bytes, config: JobConfig = CONFIG) -> Bars:
    """Read all rows of a file; raises `DataError`."""
    with opened(data, config) as reader:
        return bars_of(reader)


def refusal(data: str | bytes, config: JobConfig = CONFIG) -> str:
    """Return the message of a file that is refused, with the file's name without its folder."""
    with pytest.raises(DataError) as caught:
        read(data, config)
    folder, _, message = caught.value.message.partition("bars.csv")
    assert folder.endswith("/")
    return "bars.csv" + message


class Style(NamedTuple):
    """How a table is written."""

    delimiter: str = ","
    line_end: str = "\n"
    quoted: frozenset[int] = frozenset()
    wrapped: str = "no"
    spaced: bool = False
    trailing: int = 0

    def line(self, cells: list[str], header: bool = False) -> str:
        """Write one row without its line end."""
        separator = self.delimiter + " " * self.spaced
        line = separator.join(self.cell(cell, place) for place, cell in enumerate(cells))
        line += "" if header else self.delimiter * self.trailing
        wrapped = self.wrapped == "all" or (self.wrapped == "rows" and not header)
        return in_quotes(line) if wrapped else line

    def cell(self, text: str, place: int) -> str:
        """Write one cell, in quotes where it needs them."""
        text = text.replace("\n", self.line_end)
        needed = any(sign in text for sign in ('"', self.delimiter, self.line_end))
        return in_quotes(text) if needed or place in self.quoted else text


class Table(NamedTuple):
    """A table as it is written, and what it holds."""

    text: str
    bars: Bars


def in_quotes(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'


@st.composite
def styles(draw: DrawFn, width: int) -> Style:
    """Draw how a table of `width` columns is written."""
    wrapped = draw(st.sampled_from(["no", "no", "all", "rows"])) if width > 1 else "no"
    return Style(
        delimiter=draw(st.sampled_from(",;\t|" if width > 1 else ",")),
        line_end=draw(st.sampled_from(["\n", "\r\n", "\r"])),
        quoted=draw(st.frozensets(st.integers(0, width - 1))),
        wrapped=wrapped,
        spaced=wrapped == "no" and width > 1 and draw(st.booleans()),
        trailing=draw(st.sampled_from([0, 0, 1, 2])),
    )


@st.composite
def tables(draw: DrawFn) -> Table:
    """Draw a table without fault: columns in any number and order, in any allowed style."""
    close = draw(st.sampled_from(["close", "Close", "CLOSE ", "cLose  "]))
    stamp = draw(st.sampled_from([None, "timestamp", "Date", "OPEN_TIME "]))
    others = draw(st.lists(st.sampled_from(["open", "Volume USD", "note"]), unique=True))
    names = draw(st.permutations([close, *([stamp] if stamp else []), *others]))
    style = draw(styles(len(names)))
    bars = draw(series(max_scale=12))
    times = [datetime(2024, 1, 1) + timedelta(minutes=row) for row in range(len(bars.ticks))]
    columns = {name: [draw(notes(style)) for _ in times] for name in others}
    columns[close] = [draw(spelled(tick, bars.scale)) for tick in bars.ticks if tick is not None]
    columns[stamp or ""] = [str(time) for time in times]
    rows = [[columns[name][row] for name in names] for row in range(len(times))]
    text, lines = draw(laid_out(style, names, rows, may_be_cut=names[-1] != close))
    epoch = datetime(1970, 1, 1)
    times_ns = [(time - epoch) // timedelta(microseconds=1) * 1000 for time in times]
    return Table(text, Bars(prices(columns[close]), times_ns if stamp else [], lines))


def notes(style: Style) -> st.SearchStrategy[str]:
    """Draw a cell of another column: with delimiters or with line ends, but not with both."""
    plain = st.text('ab,;|\t"é ', max_size=5)
    return plain if style.wrapped != "no" else st.one_of(plain, st.text('ab "\n', max_size=5))


@st.composite
def laid_out(
    draw: DrawFn, style: Style, names: list[str], rows: list[list[str]], may_be_cut: bool
) -> tuple[str, list[int]]:
    """Draw the whole text, with blank lines where they may be, and the line of each row."""
    end = style.line_end
    text = draw(st.sampled_from(["", "", end, f"sep={style.delimiter}{end}"]))
    text += style.line(names, header=True) + end
    lines = []
    for cells in rows:
        text += end * draw(st.sampled_from([0, 0, 0, 1, 2])) if len(names) > 1 else ""
        lines.append(text.count(end) + 1)
        text += style.line(cells) + end
    text += end * draw(st.sampled_from([0, 0, 1, 3]))
    is_cut = bool(rows) and may_be_cut and draw(st.booleans())
    return text.removesuffix(end) if is_cut else text, lines
