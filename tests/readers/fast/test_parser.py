"""Plain blocks read fast: the same bars, answers and refusals as if all were read carefully."""

import os
import threading
from collections.abc import Generator, Sequence
from contextlib import closing
from datetime import datetime, timedelta
from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from rollsignal.config.settings import JobConfig
from rollsignal.core.array_bars import ArrayBatch
from rollsignal.core.bars import Batch
from rollsignal.core.findings import Findings
from rollsignal.core.ledger import Ledger
from rollsignal.engines.inputs import LARGE_BYTES
from rollsignal.errors import DataError
from rollsignal.files.find import input_of
from rollsignal.outputs.metrics import success
from rollsignal.outputs.signals.writer import Signals
from rollsignal.outputs.summary import rendered, summary_rows
from rollsignal.readers.careful import CarefulParser
from rollsignal.readers.dialect import find_dialect
from rollsignal.readers.fast.parser import FastParser
from rollsignal.readers.opening import OpenedFile
from rollsignal.readers.text import TextReader
from tests.support.deciding import REPORT, decide, ignore
from tests.support.messy import (
    BY_COLUMN,
    FORMS,
    ODD_CLOSES,
    ODD_STAMPS,
    ODD_SYMBOLS,
    START,
    Messy,
    Read,
    messy,
    minutes,
    of_arrays,
    of_plain,
    table,
)
from tests.support.oracle import prices
from tests.support.strategies import written
from tests.support.sweeps import examples, sweep
from tests.support.tables import CAREFUL, CONFIG, Cut, opened


def read(data: bytes, config: JobConfig, cut: Cut, plainly: bool = True) -> tuple[Read, int]:
    """Read a text, and count the blocks that came as arrays. Lines are known only `plainly`."""
    result, arrays = Read([], [], [], []), 0
    try:
        with opened(data, config, cut) as reader:
            for batch in reader.batches():
                arrays += isinstance(batch, ArrayBatch)
                rows = of_arrays(batch) if isinstance(batch, ArrayBatch) else of_plain(batch)
                # A blank symbol is left to the careful parser, which explains the error.
                if isinstance(batch, ArrayBatch) and (plainly or "" in rows.symbols):
                    rows, as_arrays = of_plain(batch.plain()), rows
                    assert rows._replace(lines=[]) == as_arrays
                result = result.plus(rows)
    except DataError as error:
        return result._replace(problem=error.message.partition("bars.csv")[2]), arrays
    return result, arrays


class Answer(NamedTuple):
    """All that a run leaves of a text."""

    metrics: dict[str, object]
    summary: bytes
    signals: bytes
    warnings: list[str]
    problem: str


def answer(data: bytes, config: JobConfig, cut: Cut) -> Answer:
    """Decide a text as the local engine does, and write its signals."""
    warnings: list[str] = []
    problem = ""
    with TemporaryDirectory() as folder:
        path, signals = Path(folder, "bars.csv"), Signals(f"{folder}/out.csv", config.window)
        signals.begin()
        part = signals.part()
        path.write_bytes(data)
        findings = Findings(config.checks._asdict(), lambda _, text: warnings.append(text))
        book = Ledger(config.rules, findings, part.take)
        try:
            with closing(
                OpenedFile(input_of(str(path)), None, cut.first_bytes, cut.block_bytes)
            ) as file:
                reader = TextReader(file, config, cut.careful_bytes)
                for batch in reader.batches():
                    book.take(batch, reader)
        except DataError as error:
            problem = error.message.replace(folder, "")
        book.close_panel()
        signals.add(part.end())
        signals.finish(REPORT)
        tally = book.tally()
        return Answer(
            dict(success(config, tally, 0)) if tally.signals else {"tally": tally},
            rendered(summary_rows(book.accounts, config), ".csv"),
            Path(folder, "out.csv").read_bytes(),
            [text.replace(folder, "") for text in warnings],
            problem,
        )


def agree(data: bytes, config: JobConfig, cut: Cut) -> int:
    """Check that a text is read the same with and without the fast parser; count its arrays."""
    carefully, _ = read(data, config, cut._replace(careful_bytes=CAREFUL.careful_bytes))
    result, arrays = read(data, config, cut)
    assert result == carefully
    assert read(data, config, cut, plainly=False)[0]._replace(lines=[]) == result._replace(lines=[])
    return arrays


@sweep
@settings(max_examples=examples(300))
@given(messy())
@example(Messy(b"close\n1\n\n2\n"))
@example(Messy(b"close\n1\n\n2\n", cut=Cut(0, 9, 9)))
@example(Messy(b"close\n1\n2\n\n3\n4\n", cut=Cut(0, 8, 3)))
@example(Messy(b"volume,close\n7,12.25\n7,1"))
@example(Messy(b"volume,close\n7,12.25\n7,1\r"))
@example(Messy(b"volume,close\n7,12.25\n7,12\n \t", cut=Cut(0, 13, 99)))
@example(Messy(b"a,close\n7,5\n7,100.25\n7,100.50\n7,100.2", cut=Cut(0, 12, 20)))
@example(Messy(b"a,close\n7,1.125\n7,1.25\n7,1.375\n7,1.25", cut=Cut(0, 16, 16)))
@example(Messy(b"close,volume\n1,7\n2,7\r\r\n3,7\n"))
@example(Messy(b"close,volume\n1,7\n2,7,8\n3\n4,7\n", cut=Cut(0, 17, 99)))
@example(Messy(b"close,volume\r1,7\r2,7\r3,7\r", cut=Cut(0, 17, 99)))
def test_a_messy_text_is_read_the_same_whichever_parser_reads_its_blocks(case: Messy) -> None:
    agree(*case)


@sweep
@settings(max_examples=examples(150))
@given(messy(odd=1))
def test_a_messy_text_gives_the_same_answer_whichever_parser_reads_its_blocks(case: Messy) -> None:
    careful = case.cut._replace(careful_bytes=CAREFUL.careful_bytes)
    assert answer(*case) == answer(case.data, case.config, careful)


@pytest.mark.parametrize("order", ["vtc", "c"])
@pytest.mark.parametrize("cell", ODD_CLOSES)
def test_an_odd_close_is_read_the_same_in_any_block(cell: str, order: str) -> None:
    for index in range(4):
        cells = ["100.10", "100.25", "99.5", "7"]
        cells[index] = cell
        agree(table(cells, order=order), CONFIG._replace(missing="gap"), Cut(0, 1, 60))


@pytest.mark.parametrize("order", ["tcv", "vct"])
@pytest.mark.parametrize("stamp", ODD_STAMPS)
def test_an_odd_timestamp_is_read_the_same_in_any_block(stamp: str, order: str) -> None:
    for index in range(4):
        stamps = minutes(4)
        stamps[index] = stamp
        agree(table(["1", "2", "3", "4"], stamps, order), CONFIG, Cut(0, 1, 60))


@pytest.mark.parametrize("symbol", ODD_SYMBOLS)
def test_an_odd_symbol_is_read_the_same_in_any_block(symbol: str) -> None:
    for index in range(4):
        symbols = ["A", "B", "A", "BTC"]
        symbols[index] = symbol
        data = table(["1", "2", "3", "4"], order="tsc", symbols=symbols)
        agree(data, CONFIG._replace(columns=BY_COLUMN), Cut(0, 1, 60))


plain_closes = st.one_of(
    st.tuples(st.integers(0, 10**9), st.integers(0, 4)).map(lambda drawn: written(*drawn)),
    st.integers(0, 10**16 - 1).map(str),
    st.sampled_from(["100.10", "007.50", "5.", ".5", "0", "0.00", "123456789.123456"]),
)


@settings(max_examples=60)
@given(
    st.lists(plain_closes, min_size=2),
    st.sampled_from(["tcv", "ctv", "vtc", "tc", "ct", "cv", "c", "tsc", "scvt"]),
    st.sampled_from(["\n", "\r\n"]),
    st.sampled_from(",;\t|"),
    st.sampled_from(FORMS),
)
@example(["1", "2.000", "2000000000000000"], "c", "\n", ",", FORMS[0])
def test_a_plain_table_is_read_as_arrays_of_what_is_written(
    cells: list[str], order: str, end: str, comma: str, form: str
) -> None:
    stamps = minutes(len(cells), form)
    config = CONFIG._replace(columns=BY_COLUMN) if "s" in order else CONFIG
    first = len(table(cells[:1], stamps[:1], order, end, comma))
    result, arrays = read(table(cells, stamps, order, end, comma), config, Cut(0, first, 1 << 20))
    assert arrays == fits(cells[1:])
    count = len(cells)
    seconds = [
        int((START - datetime(1970, 1, 1)).total_seconds()) + 60 * row for row in range(count)
    ]
    times_ns = [second * 10**9 for second in seconds] if "t" in order else []
    symbols = ["A"] * count if "s" in order else []
    assert result == Read(prices(cells), times_ns, symbols, list(range(2, count + 2)))


def fits(cells: Sequence[str]) -> bool:
    """Return whether the ticks of closes, and the sums of a window, fit into an int64."""
    scale = max(len(cell.partition(".")[2]) for cell in cells)
    most = max(Fraction(cell) for cell in cells) * int(10**scale)
    return 2 * CONFIG.window * most < 2**63


BLOCK = 32


def in_blocks(*beginnings: str) -> tuple[bytes, Cut]:
    """Write blocks with these beginnings, which are read fast from the second one on."""
    blocks = [text.encode() for text in beginnings]
    filled = [block + b"2.25," + b"x" * (BLOCK - len(block) - 6) + b"\n" for block in blocks]
    head = b"close,note\n"
    return head + b"".join(filled), Cut(0, len(head) + BLOCK, BLOCK)


@pytest.mark.parametrize(
    "odd",
    [
        *('"7.25",a\n', "-7.25,a\n", "7.25,é\n", "725e-2,a\n", " 7.25,a\n", "7.25,\r"),
        *("\n7.25,a\n", "7.25,a\n\n", '7.25,"a\nb"\n', "1234567890123.2500,a\n"),
    ],
)
def test_blocks_around_one_that_is_not_plain_are_read_as_arrays(odd: str) -> None:
    plain = "1.25,a\n"
    data, cut = in_blocks(plain, plain, plain, odd, plain, plain)
    assert agree(data, CONFIG, cut) == 4


def test_nothing_is_read_as_arrays_before_careful_bytes_are_read() -> None:
    data, cut = in_blocks(*["1.25,a\n"] * 6)
    first = cut.first_bytes - len("close,note\n")
    for blocks in range(1, 6):
        for size in ((blocks - 1) * BLOCK + 1 if blocks > 1 else 0, blocks * BLOCK):
            less = cut._replace(careful_bytes=len("close,note\n") + first - BLOCK + size)
            assert agree(data, CONFIG, less) == 6 - blocks


@pytest.mark.parametrize(
    "header", ["close, note", '"close,note"', "close,note\n", "sep=,\nclose,note", "close,note,"]
)
def test_rows_are_not_plain_because_their_header_is_not(header: str) -> None:
    """Only what the careful parser knows of the rows decides, and that each is as wide."""
    rows = "1.25,a\n" * 9
    arrays = agree(f"{header}\n{rows}".encode(), CONFIG, Cut(0, len(header) + 8, 21))
    assert arrays == (0 if header in ("close, note", "close,note,") else 3)


@pytest.mark.parametrize("row", ["1.25,a,", " 1.25,a", '"1.25,a"', '"1.25","a"', "1.25,é", "-1,a"])
def test_a_text_of_odd_rows_is_read_carefully(row: str) -> None:
    assert agree(("close,note\n" + f"{row}\n" * 9).encode(), CONFIG, Cut(0, 1, 40)) == 0


HEAD = "timestamp,close,symbol,volume\n"
DIALECT = find_dialect(HEAD, BY_COLUMN, "bars.csv")
PLAIN_ROWS = b"2024-01-01 00:01:00,100.25,A,7\n2024-01-01 00:02:00,100.5,BC,7\n"


def not_asked() -> Batch:
    raise AssertionError("the batch is made plain")


def in_place(block: bytes) -> tuple[ArrayBatch | None, CarefulParser]:
    """Read a block fast that follows others, without a file."""
    config = CONFIG._replace(columns=BY_COLUMN)
    careful = CarefulParser("bars.csv", DIALECT, config)
    careful.batch(HEAD.encode() + b"2024-01-01 00:00:00,99.5,A,7\n")
    fast = FastParser(careful, config)
    return fast.batch(fast.fields(block), not_asked), careful


@pytest.mark.parametrize("place", range(len(PLAIN_ROWS) + 1))
def test_any_byte_anywhere_is_refused_or_read_as_carefully(place: int) -> None:
    for byte in range(256):
        block = PLAIN_ROWS[:place] + bytes([byte]) + PLAIN_ROWS[place + 1 :]
        arrays, careful = in_place(block)
        if arrays is not None and "" in of_arrays(arrays).symbols:
            with pytest.raises(DataError, match="the symbol is empty"):
                careful.batch(block)
        elif arrays is not None:
            batch, problem = careful.batch(block)
            assert batch is not None
            assert problem is None
            assert of_arrays(arrays) == of_plain(batch)._replace(lines=[])


def many(count: int, odd: bytes = b"") -> bytes:
    """Write a panel of many rows, of which one late in the text ends with something odd."""
    rows = [
        b"%s,%d.%02d,S%d"
        % (str(START + timedelta(seconds=row)).encode(), row % 7, row % 9, row % 3)
        for row in range(count)
    ]
    rows[-count // 4] += odd
    return b"timestamp,close,symbol\n" + b"\n".join(rows) + b"\n"


def test_blocks_of_the_usual_size_give_the_same_answer_as_read_carefully() -> None:
    data, config = many(42_000, odd=b'"'), CONFIG._replace(columns=BY_COLUMN)
    assert answer(data, config, Cut(0)) == answer(data, config, CAREFUL)


def test_the_local_engine_reads_a_large_table_as_it_would_carefully(tmp_path: Path) -> None:
    path, data = tmp_path / "bars.csv", many(LARGE_BYTES // 28 + 1)
    assert len(data) >= LARGE_BYTES
    path.write_bytes(data)
    config = CONFIG._replace(columns=BY_COLUMN)
    result = decide([str(path)], config)
    expected = answer(data, config, CAREFUL)
    assert success(config, result.tally, 0) == expected.metrics
    assert rendered(summary_rows(result.accounts, config), ".csv") == expected.summary


def test_a_pipe_gives_the_same_answer_as_the_file(tmp_path: Path) -> None:
    data, config, path = many(20_000), CONFIG._replace(columns=BY_COLUMN), tmp_path / "bars.csv"
    os.mkfifo(path)
    writer = threading.Thread(target=path.write_bytes, args=(data,), daemon=True)
    writer.start()
    arrays = 0
    book = Ledger(config.rules, Findings(config.checks._asdict(), ignore))
    with closing(OpenedFile(input_of(str(path)), None, 1 << 12, 1 << 14)) as file:
        reader = TextReader(file, config, 0)
        for batch in reader.batches():
            arrays += isinstance(batch, ArrayBatch)
            book.take(batch, reader)
    book.close_panel()
    writer.join()
    assert arrays > 30
    assert success(config, book.tally(), 0) == answer(data, config, CAREFUL).metrics


def test_a_reader_that_is_left_early_leaves_no_thread() -> None:
    before = set(threading.enumerate())
    with opened(many(80_000), CONFIG, Cut(0, 1 << 12, 1 << 14)) as reader:
        batches = reader.batches()
        while not isinstance(next(batches), ArrayBatch):
            pass
        assert len(set(threading.enumerate()) - before) == 1
        assert isinstance(batches, Generator)
        batches.close()
        assert set(threading.enumerate()) <= before
