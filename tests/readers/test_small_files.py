"""Small files read together: each as if it were read by itself, or left for that."""

import gc
import gzip
import os
import threading
import weakref
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn

from rollsignal.config.rules import NO_SYMBOLS, NO_TIMESTAMPS, SymbolFrom
from rollsignal.config.settings import Checks, Columns, JobConfig
from rollsignal.core.array_bars import ArrayBatch
from rollsignal.core.findings import Found
from rollsignal.core.quality import Finding
from rollsignal.core.reader import Reader
from rollsignal.engines import ENGINES
from rollsignal.engines import inputs as inputs_module
from rollsignal.engines.inputs import LARGE_BYTES, Inputs
from rollsignal.errors import JobError
from rollsignal.files.find import input_of
from rollsignal.outputs.signals.writer import Signals
from rollsignal.outputs.summary import rendered, summary_rows
from rollsignal.readers.blocks import BLOCK_BYTES
from rollsignal.readers.groups import Groups
from rollsignal.readers.small_files import read_together
from tests.support import oracle
from tests.support.deciding import REPORT, begun, decide
from tests.support.messy import (
    BY_COLUMN,
    ORDERS,
    Messy,
    Read,
    configs,
    messy,
    minutes,
    of_arrays,
    of_plain,
    table,
)
from tests.support.packers import PACKERS
from tests.support.sweeps import examples, sweep
from tests.support.tables import CONFIG, plain_batches

UNTIMED = CONFIG._replace(columns=Columns(timestamp=NO_TIMESTAMPS))
BY_FILE = CONFIG._replace(columns=Columns(symbol=SymbolFrom(None)))
PLAIN = table(["1", "2", "3.5", "2"])
ROWS = 4


def together(
    paths: Sequence[Path],
    config: JobConfig = CONFIG,
    block_bytes: int = BLOCK_BYTES,
    sizes: dict[str, int] | None = None,
) -> list[tuple[str, Reader | None]]:
    inputs = [input_of(str(path)) for path in paths]
    inputs = [file._replace(size=(sizes or {}).get(file.path, file.size)) for file in inputs]
    groups = Groups(inputs, config, None, block_bytes)
    return [(file.path, reader) for file, reader in read_together(groups, config)]


def put(folder: Path, texts: Sequence[bytes]) -> list[Path]:
    paths = [folder / f"bars{number}.csv" for number in range(len(texts))]
    for path, text in zip(paths, texts, strict=True):
        path.write_bytes(text)
    return paths


def taken(folder: Path, texts: Sequence[bytes], config: JobConfig = CONFIG) -> list[bool]:
    """Return which files are read together, after checking that they are read as alone."""
    return [reader is not None for reader in checked(put(folder, texts), config)]


def checked(
    paths: Sequence[Path], config: JobConfig, block_bytes: int = BLOCK_BYTES
) -> list[Reader | None]:
    pairs = together(paths, config, block_bytes)
    assert [path for path, _ in pairs] == list(map(str, paths))
    for path, reader in pairs:
        if reader:
            see_same(path, reader, config)
    return [reader for _, reader in pairs]


def see_same(path: str, reader: Reader, config: JobConfig) -> None:
    """Check that a file's bars are the same as when it is read carefully by itself."""
    file = input_of(path)
    with Inputs([file], config, careful=True).opened(file) as alone:
        batches = list(plain_batches(alone))
        assert reader.describe() == alone.describe()
        assert (reader.name, reader.symbol, reader.unit) == (alone.name, alone.symbol, alone.unit)
        expected = Read([], [], [], [])
        for batch in batches:
            expected = expected.plus(of_plain(batch))
        fast_batches = list(reader.batches())
        assert len(fast_batches) == bool(expected.lines)
        for arrays in fast_batches:
            assert isinstance(arrays, ArrayBatch)
            assert arrays.row == 2
            assert of_plain(arrays.plain()) == expected
            assert of_plain(arrays.plain()) == expected, "as often as it is asked"
            assert of_arrays(arrays) == expected._replace(lines=[])
        assert reader.bytes_read() == os.path.getsize(path)
        if batches and config.needs_timestamps:
            finding = Finding("order", 0, "is not later")
            problem = reader.order_problem(batches[0], finding)
            assert problem.message == alone.order_problem(batches[0], finding).message


class Files(NamedTuple):
    """Texts of files, and how they are read."""

    texts: list[bytes]
    config: JobConfig
    block_bytes: int


@st.composite
def files(draw: DrawFn) -> Files:
    """Draw tables of which most have the same columns and some are odd."""
    orders = draw(st.lists(st.sampled_from(ORDERS), min_size=1, max_size=2))
    drawn: list[Messy] = draw(st.lists(messy(odd=1, orders=orders), min_size=1, max_size=6))
    config = draw(configs("s" in orders[0]))
    return Files([text.data for text in drawn], config, draw(st.sampled_from([1 << 16, 400, 150])))


@sweep
@settings(max_examples=examples(200))
@given(files())
def test_every_file_is_read_as_by_itself_or_left(case: Files) -> None:
    with TemporaryDirectory() as folder:
        checked(put(Path(folder), case.texts), case.config, case.block_bytes)


class Answer(NamedTuple):
    """All that a run finds in files."""

    found: object
    signals: bytes
    told: list[str]


def answer(paths: list[str], config: JobConfig, *, carefully: bool) -> Answer:
    told: list[str] = []

    def tell(level: str, text: str) -> None:
        told.append(text)

    engine = ENGINES["plain" if carefully else "local"]
    with TemporaryDirectory() as folder:
        try:
            with begun(Signals(f"{folder}/out.csv", config.window)) as signals:
                decided = decide(paths, config, tell, None, [signals], engine)
                signals.finish(REPORT)
        except JobError as error:
            return Answer(str(error), b"", told)
        return Answer(of_result(decided, config), Path(folder, "out.csv").read_bytes(), told)


def of_result(result: Found, config: JobConfig) -> object:
    series = rendered(summary_rows(result.accounts, config), ".csv")
    return (
        series,
        result.tally,
        list(result.files.items()),
        result.findings.counts,
        result.findings.shown,
    )


@contextmanager
def arrays_for_small_runs() -> Iterator[None]:
    """Read fast however little there is to read."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(inputs_module, "LARGE_BYTES", 1)
        yield


@sweep
@settings(max_examples=examples(100))
@given(files(), st.sampled_from(["one series", "each its own"]))
def test_a_run_over_small_files_finds_what_it_finds_carefully(case: Files, kind: str) -> None:
    config = case.config
    if kind == "each its own":
        config = config._replace(columns=BY_FILE.columns)
    with TemporaryDirectory() as folder, arrays_for_small_runs():
        paths = list(map(str, put(Path(folder), case.texts)))
        assert answer(paths, config, carefully=False) == answer(paths, config, carefully=True)


@pytest.mark.parametrize(
    "text",
    [
        PLAIN.replace(b"\n", b"\r\n"),
        PLAIN.splitlines(keepends=True)[0],
        table(["0.00000001", "12345678.5"]),
        table(["1", "2"], order="c"),
        table(["1", "2"], order="vtc"),
        table(["1", "2"], comma="\t"),
        table(["1", "2"], [str(1_700_000_000_000 + row) for row in range(2)]),
        table(["1", "2"], minutes(2, "%Y/%m/%d %H:%M:%S.%f")),
        table(["1", "2"], ["2024-03-01", "2024-02-01"]),
        PLAIN.replace(b"close", b"Close "),
    ],
)
def test_plain_files_are_read_together_with_files_like_them(tmp_path: Path, text: bytes) -> None:
    rows = text.count(b"\n") > 1
    config = CONFIG if text.count(b",") or b"\t" in text else UNTIMED
    assert taken(tmp_path, [text, text, text], config) == [rows] * 3
    assert taken(tmp_path, [PLAIN, text, text, PLAIN, text], config)[::3] == [True, True]


def test_files_in_which_timestamps_are_sought_are_left(tmp_path: Path) -> None:
    texts = [b"when,close\n2024-01-01,1\n2024-01-02,2\n"] * 2
    assert taken(tmp_path, texts) == [False] * 2
    assert taken(tmp_path, texts, UNTIMED) == [True] * 2


@pytest.mark.parametrize("pack", PACKERS.values(), ids=PACKERS)
def test_compressed_files_are_read_together_with_files_like_them(
    tmp_path: Path, pack: Callable[[bytes], bytes]
) -> None:
    packed = pack(PLAIN)
    assert taken(tmp_path, [packed, packed, PLAIN, packed, gzip.compress(PLAIN)]) == [True] * 5


def test_what_unpacks_to_more_than_a_block_is_left(tmp_path: Path) -> None:
    rows = "2024-01-01,1\n" * 90
    paths = put(tmp_path, [gzip.compress(b"timestamp,close\n" + rows.encode())] * 3)
    unchecked = CONFIG._replace(checks=Checks(order="off", duplicates="off"))
    assert checked(paths, unchecked, len(rows)) == [None] * 3
    assert None not in checked(paths, unchecked, len(rows) + 1)


def test_what_unpacks_to_more_than_is_left_of_a_block_takes_nothing_from_it(
    tmp_path: Path,
) -> None:
    texts = [gzip.compress(b"close\n" + b"1.000\n" * rows) for rows in (3, 60, 3)]
    readers = checked(put(tmp_path, texts), UNTIMED, 100)
    assert [reader is not None for reader in readers] == [True, False, True]


def test_a_file_without_rows_is_read_with_others(tmp_path: Path) -> None:
    header = PLAIN.splitlines(keepends=True)[0]
    assert taken(tmp_path, [header, PLAIN, header, header, PLAIN, header]) == [True] * 6


LEFT = {
    "no header": b"1,2\n3,4\n",
    "nothing": b"",
    "a blank line": b"\n",
    "a header alone, without an end": b"timestamp,close,volume",
    "no end": PLAIN[:-1],
    "a blank line first": b"\n" + PLAIN,
    "Excel's first line": b"sep=,\n" + PLAIN,
    "a blank after the commas": PLAIN.replace(b",", b", "),
    "a BOM": b"\xef\xbb\xbf" + PLAIN,
    "UTF-16": PLAIN.decode().encode("utf-16"),
    "a quoted header": PLAIN.replace(b"close", b'"close"'),
    "a quoted close": PLAIN.replace(b"3.5", b'"3.5"'),
    "a missing close": PLAIN.replace(b"3.5", b""),
    "a signed close": PLAIN.replace(b"3.5", b"-3.5"),
    "a NUL": PLAIN.replace(b"3.5", b"3\0"),
    "a long row": PLAIN.replace(b"3.5", b"3.5,1"),
    "lone CRs": PLAIN.replace(b"\n", b"\r"),
    "CRs in pairs": PLAIN.replace(b"3.5,7", b"3.5,7\r\r"),
    "days first": table(["1", "2"], ["13/01/2024", "14/01/2024"]),
    "days or months first": table(["1", "2"], ["01/02/2024", "01/03/2024"]),
    "dates and times": b"date,time,close\n2024-01-01,10:00,1\n2024-01-01,10:01,2\n",
    "two closes": PLAIN.replace(b"volume", b"close"),
    "gzip that is cut": gzip.compress(PLAIN)[:-1],
    "gzip that is damaged": gzip.compress(PLAIN)[:-8] + b"\0" * 8,
    "gzip with something after it": gzip.compress(PLAIN) + b"x",
    "gzip of gzip": gzip.compress(gzip.compress(PLAIN)),
    "gzip of a row that has no end": gzip.compress(PLAIN[:-1]),
    "gzip of quotes": gzip.compress(PLAIN.replace(b"3.5", b'"3.5"')),
    "gzip of Parquet's name": gzip.compress(PLAIN.replace(b"timestamp", b"PAR1")),
    "a name of gzip's rival": PLAIN.replace(b"timestamp", b"BZh"),
    "a name of Parquet's": PLAIN.replace(b"timestamp", b"PAR1"),
    "objects": b'{"timestamp": "2024-01-01", "close": 1}\n',
}


@pytest.mark.parametrize("text", LEFT.values(), ids=LEFT)
def test_a_file_that_is_not_plain_is_left_and_the_others_are_read_together(
    tmp_path: Path, text: bytes
) -> None:
    assert taken(tmp_path, [PLAIN, text, PLAIN, PLAIN, text]) == [True, False, True, True, False]


@pytest.mark.parametrize("text", LEFT.values(), ids=LEFT)
def test_a_run_reads_a_file_that_is_not_plain_in_its_order(tmp_path: Path, text: bytes) -> None:
    paths = list(map(str, put(tmp_path, [PLAIN, PLAIN, text, PLAIN])))
    with arrays_for_small_runs():
        expected = answer(paths, BY_FILE, carefully=True)
        assert answer(paths, BY_FILE, carefully=False) == expected


def test_rows_of_two_files_are_never_joined(tmp_path: Path) -> None:
    """Joined, a close of 12 and one of 34 would be 1234."""
    texts = [b"close\n5\n12", b"close\n34\n6\n", b"close\n7\n8\n"]
    assert taken(tmp_path, texts, UNTIMED) == [False, True, True]


def test_a_column_of_symbols_is_left(tmp_path: Path) -> None:
    text = table(["1", "2"], order="tsc")
    assert taken(tmp_path, [text, text], CONFIG._replace(columns=BY_COLUMN)) == [False, False]
    assert taken(tmp_path, [text, text]) == [False, False]
    none = CONFIG._replace(columns=Columns(symbol=NO_SYMBOLS))
    assert taken(tmp_path, [text, text], none) == [True, True]


def test_timestamps_of_several_units_are_distinguished(tmp_path: Path) -> None:
    """Seconds read as milliseconds would be times in 1970, without any error."""
    seconds, milliseconds = (
        table(["1", "2"], [str(unit * (1_700_000_000 + row)) for row in range(2)])
        for unit in (1, 1000)
    )
    texts = [seconds, milliseconds, seconds, milliseconds]
    assert taken(tmp_path, texts, BY_FILE) == [True] * 4
    assert taken(tmp_path, [seconds, table(["1", "2"], ["123456", "123457"])], BY_FILE) == [
        True,
        False,
    ]


def test_columns_may_come_from_folders(tmp_path: Path) -> None:
    paths = [tmp_path / name / "bars.csv" for name in ("symbol=A", "symbol=B", "date=2024", "x")]
    for path in paths:
        path.parent.mkdir()
        path.write_bytes(PLAIN)
    config = CONFIG._replace(columns=Columns(symbol=SymbolFrom("symbol")))
    readers = checked(paths[:2], config)
    assert [reader and reader.symbol for reader in readers] == ["A", "B"]
    assert checked(paths[:3], config)[2] is None, "it has no symbol"
    assert None not in checked(paths, CONFIG)
    in_path = CONFIG._replace(columns=Columns(timestamp="date"))
    assert checked(paths[2:3], in_path) == [None], "all its rows would have one time"


def test_a_folder_that_has_no_symbol_is_left(tmp_path: Path) -> None:
    path = tmp_path / "symbol=__HIVE_DEFAULT_PARTITION__" / "bars.csv"
    path.parent.mkdir()
    path.write_bytes(PLAIN)
    paths = put(tmp_path, [PLAIN])
    assert (
        checked([path, *paths], BY_FILE._replace(columns=Columns(symbol=SymbolFrom("symbol"))))[0]
        is None
    )


def test_anything_but_a_regular_file_is_not_even_opened(tmp_path: Path) -> None:
    """Opening a pipe could take data from it, and waiting for one could take for ever."""
    pipe, gone, folder = tmp_path / "pipe.csv", tmp_path / "gone.csv", tmp_path / "folder.csv"
    os.mkfifo(pipe)
    folder.mkdir()
    plain = put(tmp_path, [PLAIN])
    assert checked([pipe, *plain, gone, folder], CONFIG)[1:2] != [None]
    assert checked([pipe, *plain, gone, folder], CONFIG)[::2] == [None, None]
    sizes = {str(path): len(PLAIN) for path in (gone, folder)}
    left = together([*plain, gone, folder, *plain], sizes=sizes)
    assert [reader is None for _, reader in left] == [False, True, True, False]


@pytest.mark.parametrize("change", [-1, 1, 100])
def test_a_file_that_has_changed_since_it_was_looked_at_is_left(
    tmp_path: Path, change: int
) -> None:
    paths = put(tmp_path, [PLAIN, PLAIN, PLAIN])
    sizes = {str(paths[1]): len(PLAIN) + change}
    pairs = together(paths, sizes=sizes)
    assert [reader is None for _, reader in pairs] == [False, True, False]


def test_a_name_for_objects_is_not_taken_for_a_table(tmp_path: Path) -> None:
    paths = [tmp_path / "a.csv", tmp_path / "b.ndjson"]
    for path in paths:
        path.write_bytes(PLAIN)
    assert [reader is None for _, reader in together(paths)] == [False, True]


def test_a_file_larger_than_a_block_is_left(tmp_path: Path) -> None:
    paths = put(tmp_path, [PLAIN, PLAIN * 2, PLAIN])
    assert checked(paths[:1], CONFIG, len(PLAIN)) == [None]
    readers = checked([paths[0], paths[2]], CONFIG, len(PLAIN) + 1)
    assert None not in readers


def test_a_group_ends_where_the_block_does(tmp_path: Path) -> None:
    paths = put(tmp_path, [table([str(number), "1"]) for number in range(20)])
    for size in range(len(table(["1", "1"])) + 5, 400, 7):
        assert None not in checked(paths, CONFIG, size)


def test_readers_free_their_block_without_garbage_being_looked_for(tmp_path: Path) -> None:
    paths = put(tmp_path, [PLAIN, PLAIN])
    gc.disable()
    try:
        groups = Groups([input_of(str(path)) for path in paths], CONFIG)
        held = []
        for _, reader in read_together(groups, CONFIG):
            assert reader
            for batch in reader.batches():
                assert batch.rows == ROWS
            held.append(weakref.ref(reader))
        del reader, batch
        assert [ref() for ref in held] == [None, None]
    finally:
        gc.enable()


def test_an_error_in_the_middle_leaves_no_thread(tmp_path: Path) -> None:
    texts = [PLAIN] * 5 + [PLAIN.replace(b"3.5", b"x")] + [PLAIN] * 5
    paths = list(map(str, put(tmp_path, texts)))
    before = set(threading.enumerate())
    with arrays_for_small_runs():
        result = answer(paths, BY_FILE, carefully=False)
    assert "bars5.csv line 4: close is 'x'" in str(result.found)
    assert set(threading.enumerate()) <= before


def test_a_large_folder_of_small_files_has_the_signals_of_its_closes(tmp_path: Path) -> None:
    """The files have usual sizes, and some of them are not plain."""
    count, rows = 40, 2_500
    closes = [
        [f"{100 + (place * row) % 7}.{row % 10}{place % 10}" for row in range(rows)]
        for place in range(count)
    ]
    texts = [table(cells, minutes(rows), "tcv") for cells in closes]
    texts = [text.replace(b",7\n", b"," + b"7" * 20 + b"\n") for text in texts]
    texts[7], texts[20] = texts[7].replace(b",100.00,", b',"100.00",'), texts[20][:-1]
    paths = put(tmp_path, texts)
    assert sum(map(len, texts)) >= LARGE_BYTES
    result = decide(paths, BY_FILE)
    for place, cells in enumerate(closes):
        exact = [Fraction(cell) for cell in cells]
        assert result.accounts[f"bars{place}"].tally == oracle.counts(exact, BY_FILE.window)
    assert {file.rows for file in result.files.values()} == {rows}
