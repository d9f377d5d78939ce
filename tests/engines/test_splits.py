"""Splits of a file: read one by one they are what the whole file is, or the file is read whole."""

from __future__ import annotations

import gzip
import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn

from rollsignal.config.rules import NO_SYMBOLS, SymbolFrom
from rollsignal.config.settings import Checks, Columns, JobConfig
from rollsignal.core.reader import Reader
from rollsignal.engines.inputs import Inputs
from rollsignal.engines.splits import (
    CUT_ROWS,
    ReadWholeError,
    Split,
    bundled,
    lines_passed,
    opened_each,
    opened_split,
    part_of,
    row_cuts,
    splits_of,
    text_cuts,
)
from rollsignal.errors import DataError, JobError
from rollsignal.files.find import Input, input_of
from rollsignal.files.formats import Format
from rollsignal.readers.blocks import BLOCK_BYTES
from rollsignal.readers.opening import OpenedFile
from tests.support.messy import (
    BY_COLUMN,
    FORMS,
    ODD_CLOSES,
    ODD_STAMPS,
    ODD_SYMBOLS,
    UNCHECKED,
    Messy,
    configs,
    messy,
    minutes,
    table,
)
from tests.support.passes import counted
from tests.support.sweeps import examples, sweep
from tests.support.tables import CONFIG, Cut

START = datetime(2024, 1, 1)
small_blocks = st.builds(Cut, st.just(0), st.sampled_from([1, 30]), st.integers(1, 80))
CHECKED = CONFIG._replace(checks=Checks(order="off", duplicates="off", ohlc="warn"))
# Large tables have few closes.
fraction = lru_cache(maxsize=None)(Fraction)
Row = tuple[Fraction | None, int | None, str | None, int]


class Told(NamedTuple):
    """The bars that a reader yields, what it finds in them, and the error after them."""

    rows: list[Row]
    findings: list[tuple[int, str, str]]
    problem: str = ""
    zoned: bool | None = None
    description: str = ""


class Opened(NamedTuple):
    """How the parts of a test's file are opened."""

    file: Input
    config: JobConfig
    sizes: tuple[int, int]
    format: Format | None

    @contextmanager
    def text(self) -> Iterator[OpenedFile]:
        with closing(
            OpenedFile(self.file, self.format, *self.sizes, table=self.config.table)
        ) as opened:
            yield opened

    def told(self, split: Split, before: int, told: Told) -> tuple[Told, int]:
        """Return what was told and what a split tells, and how many lines it has."""
        with ExitStack() as stack:
            try:
                opened = stack.enter_context(self.text())
                reader = part_of(opened, split, self.config, before)
                told = read(reader, told)
            except JobError as error:
                return told._replace(problem=error.message), 0
            return told, lines_passed(reader)


def read(reader: Reader, told: Told) -> Told:
    """Read all batches; what was told is told before them."""
    rows, findings = [*told.rows], [*told.findings]
    try:
        for batch in reader.batches():
            plain = batch.plain()
            unit = 10**plain.closes.scale
            times: Sequence[int | None] = plain.timestamps_ns or [None] * plain.rows
            symbols: Sequence[str | None] = plain.symbols or [None] * plain.rows
            ticks = plain.closes.values
            closes = [None if tick is None else fraction(tick, unit) for tick in ticks]
            rows += zip(closes, times, symbols, plain.lines, strict=True)
            findings += [(plain.lines[f.place], f.check, f.what) for f in plain.findings]
    except JobError as error:
        return Told(rows, findings, error.message)
    return Told(rows, findings, "", reader.zoned, reader.describe())


NOTHING = Told([], [])


def told_whole(opened: Opened) -> Told:
    return opened.told(Split(opened.file), 0, NOTHING)[0]


def told_in_splits(opened: Opened, cuts: Iterable[int]) -> Told | None:
    """Return what splits tell one after the other; None if the file must be read whole."""
    told, before = NOTHING, 0
    for number, (begin, end) in enumerate(pairwise((0, *cuts, None))):
        try:
            told, lines = opened.told(Split(opened.file, number, begin or 0, end), before, told)
        except ReadWholeError:
            return None
        if told.problem:
            break
        before += lines
    return told


class Law:
    """The law that splits tell what the whole file tells, and how often that was seen."""

    def __init__(self) -> None:
        self.seen: Counter[str] = Counter()

    def holds(self, opened: Opened, cuts: Sequence[int]) -> None:
        whole, split = told_whole(opened), told_in_splits(opened, cuts)
        if split is None:
            self.seen["read whole"] += 1
            return
        assert split == whole
        self.seen["refused" if whole.problem else "same"] += 1


@contextmanager
def written(data: bytes, name: str = "bars.csv") -> Iterator[Input]:
    with TemporaryDirectory() as folder:
        path = Path(folder, name)
        path.write_bytes(data)
        yield input_of(str(path))


def hold_text(law: Law, drawn: Messy, draw: Callable[..., Any], format: Format = "csv") -> int:
    """Cut a text at some of the places where it may be cut; return their number."""
    config = drawn.config
    if draw(st.booleans()):
        config = config._replace(checks=config.checks._replace(ohlc="warn"))
    with written(drawn.data) as file:
        opened = Opened(file, config, (drawn.cut.first_bytes, drawn.cut.block_bytes), format)
        try:
            with opened.text() as text:
                cuts = text_cuts(text, 1 + len(drawn.data))
        except DataError:
            return 0
        kept = [cut for cut in cuts if draw(st.booleans())] if draw(st.booleans()) else cuts
        law.holds(opened, kept)
        return len(kept)


@sweep
def test_splits_of_any_text_tell_what_the_whole_text_tells() -> None:
    law, cuts = Law(), Counter[bool]()

    @settings(max_examples=examples(600))
    @given(messy(), small_blocks, st.data())
    def hold(drawn: Messy, blocks: Cut, data: st.DataObject) -> None:
        cuts[hold_text(law, drawn._replace(cut=blocks), data.draw) > 0] += 1

    hold()
    assert cuts[True] > examples(50)
    assert law.seen["same"] > law.seen["read whole"]
    assert law.seen["refused"] > examples(5)


@sweep
def test_a_plain_text_is_never_read_whole() -> None:
    law = Law()

    @settings(max_examples=examples(300))
    @given(messy(odd=0), st.data())
    def hold(drawn: Messy, data: st.DataObject) -> None:
        ended = drawn.data.rstrip(b"\r\n \t") + b"\n"
        blocks = data.draw(small_blocks)
        hold_text(law, drawn._replace(data=ended, cut=blocks), data.draw)

    hold()
    assert law.seen["same"] > examples(50)
    assert not law.seen["read whole"]


ODD_LINES = [
    *("", " ", "[]", "{", "x", "{}", '{"close": 1, "close": 2}', '{"Close": 1}', "\r", "null"),
    *('{"close": [1]}', '{"close": {"a": "\\n"}, "timestamp": true}', '{"close": 1} {"close": 2}'),
    *('{"timestamp": "2024-02-28 23:50:00", "close": 1, "open": 2}', '\0{"close": 1}'),
]


@st.composite
def objects(draw: DrawFn) -> Messy:
    """Draw the objects of bars, some of them odd, in lines."""
    config = draw(configs(with_symbols=False))
    stamps = minutes(draw(st.integers(2, 12)), draw(st.sampled_from(FORMS)))
    symbols: list[str] = draw(st.sampled_from([["A"], ["A", "B"], [""]]))
    key = "code" if len(symbols) == 1 and draw(st.booleans()) else "symbol"
    lines = []
    for row, stamp in enumerate(stamps):
        record: dict[str, Any] = {"timestamp": stamp, "close": 100 + row / 4}
        if symbols[0]:
            record[key] = symbols[row % len(symbols)]
        for name, odd in (("close", ODD_CLOSES), ("timestamp", ODD_STAMPS), (key, ODD_SYMBOLS)):
            if draw(st.integers(0, 60)) == 0:
                record[name] = draw(st.sampled_from(odd))
        lines.append(json.dumps(record, ensure_ascii=draw(st.booleans())))
        if draw(st.integers(0, 30)) == 0:
            lines.append(draw(st.sampled_from(ODD_LINES)))
    end = draw(st.sampled_from(["\n", "\n", "\r\n"]))
    text = end.join(lines) + draw(st.sampled_from([end, "", end * 2]))
    return Messy(text.encode(), config, draw(small_blocks))


@sweep
def test_splits_of_ndjson_tell_what_the_whole_text_tells() -> None:
    law, cuts = Law(), Counter[bool]()

    @settings(max_examples=examples(400))
    @given(objects(), st.data())
    def hold(drawn: Messy, data: st.DataObject) -> None:
        cuts[hold_text(law, drawn, data.draw, "ndjson") > 0] += 1

    hold()
    assert cuts[True] > examples(50)
    assert law.seen["same"] > 5 * law.seen["read whole"]
    assert law.seen["refused"] > examples(5)


CLOSES: dict[str, Callable[[int], Any]] = {
    "doubles": lambda row: 100 + row % 7 / 4,
    "doubles, one missing": lambda row: None if row == 11 else 100.25,
    "text": lambda row: f"{100 + row}.50",
    "text, one odd": lambda row: "x" if row == 9 else "7.5",
    "decimals": lambda row: Fraction(row, 4),
    "whole numbers": lambda row: row,
}
STAMPS: dict[str, Callable[[int], Any]] = {
    "none": lambda row: None,
    "times": lambda row: START + timedelta(minutes=row),
    "times in UTC": lambda row: (START + timedelta(minutes=row)).replace(tzinfo=UTC),
    "dates": lambda row: (START + timedelta(days=row)).date(),
    "text": lambda row: str(START + timedelta(minutes=row)),
    "text of several shapes": lambda row: str(START + timedelta(seconds=row / 2)),
    "days or months": lambda row: f"{row % 28 + 1}/1/2024 10:00",
    "counts": lambda row: 1_704_067_200 + 60 * row,
    "counts of 1971 to 1973": lambda row: 60_000_000 + 3_000_000 * row,
    "counts, one in another unit": lambda row: (1_704_067_200 + row) * (1000 if row == 13 else 1),
    "times, one missing": lambda row: None if row == 12 else START + timedelta(minutes=row),
}
SYMBOLS: dict[str, Callable[[int], Any]] = {
    "none": lambda row: None,
    "several": lambda row: "AB"[row % 2],
    "one": lambda row: "A",
    "another at last": lambda row: "B" if row == 15 else "A",
    "one empty": lambda row: "" if row == 10 else "A",
}


def frame(rows: int, close: str, stamp: str, symbol: str, name: str) -> pl.DataFrame:
    columns: dict[str, Any] = {
        "timestamp": [STAMPS[stamp](row) for row in range(rows)],
        "close": [CLOSES[close](row) for row in range(rows)],
        name: [SYMBOLS[symbol](row) for row in range(rows)],
    }
    if close == "decimals":
        cells = [str(float(cell)) for cell in columns["close"]]
        columns["close"] = pl.Series(cells).cast(pl.Decimal(20, 4))
    kept = {key: values for key, values in columns.items() if key == "close" or any(values)}
    return pl.DataFrame(kept)


def stored(data: pl.DataFrame, path: Path, format: str, group: int) -> None:
    if format == "parquet":
        data.write_parquet(path, row_group_size=group)
    else:
        data.write_ipc(path, record_batch_size=group)


@sweep
def test_splits_of_columnar_files_tell_what_the_whole_file_tells(tmp_path: Path) -> None:
    law = Law()

    @settings(max_examples=examples(400), deadline=None)
    @given(
        st.sampled_from(sorted(CLOSES)),
        st.sampled_from(sorted(STAMPS)),
        st.sampled_from(sorted(SYMBOLS)),
        st.sampled_from(["symbol", "code"]),
        st.sampled_from(["parquet", "arrow"]),
        st.data(),
    )
    def hold(
        close: str, stamp: str, symbol: str, name: str, form: str, data: st.DataObject
    ) -> None:
        rows = data.draw(st.integers(1, 20))
        path = tmp_path / "bars"
        stored(frame(rows, close, stamp, symbol, name), path, form, data.draw(st.integers(1, 20)))
        config = data.draw(st.sampled_from([CONFIG, UNCHECKED._replace(missing="gap"), CHECKED]))
        cuts = data.draw(st.sets(st.integers(1, rows))) - {rows}
        opened = Opened(input_of(str(path)), config, (1 << 12, BLOCK_BYTES), None)
        law.holds(opened, sorted(cuts))

    hold()
    assert law.seen["same"] > examples(30)
    assert law.seen["read whole"] > examples(3)


@pytest.mark.parametrize("form", ["parquet", "arrow"])
@pytest.mark.parametrize(
    ("stamp", "symbol"),
    [("times", "none"), ("times in UTC", "several"), ("dates", "one"), ("text", "several")],
)
def test_a_plain_columnar_file_is_never_read_whole(
    form: str, stamp: str, symbol: str, tmp_path: Path
) -> None:
    path = tmp_path / "bars"
    stored(frame(40, "doubles", stamp, symbol, "symbol"), path, form, 7)
    opened = Opened(input_of(str(path)), CONFIG, (1 << 12, BLOCK_BYTES), None)
    for cuts in ([20], [7, 14, 35], range(1, 40)):
        assert told_in_splits(opened, cuts) == told_whole(opened)


def splits(file: Input, bytes_each: int, config: JobConfig = CONFIG) -> list[Split]:
    return splits_of([file], config, None, bytes_each)


@lru_cache
def large(end: str = "\n", count: int = 160_000) -> bytes:
    stamps = [str(START + timedelta(minutes=row)) for row in range(count)]
    return table([f"{row % 997}.25" for row in range(count)], stamps, end=end)


@pytest.fixture(scope="module")
def bars() -> bytes:
    return large()


def bytes_of(split: Split) -> int:
    return (split.end or split.file.size or 0) - split.begin


def test_a_text_is_cut_at_line_ends_into_splits_of_about_the_size_that_is_asked_for(
    bars: bytes,
) -> None:
    with written(bars) as file:
        made = splits(file, 2 << 20)
        assert len(made) == len(bars) // (2 << 20) == 2
        assert [split.number for split in made] == [0, 1]
        assert made[0].begin == 0
        assert made[-1].end is None
        for above, below in pairwise(made):
            assert above.end == below.begin
            assert bars[below.begin - 1 : below.begin] == b"\n"


@pytest.mark.parametrize(("start", "end"), [(b"", "\n"), (b"\xef\xbb\xbf", "\r\n")])
def test_a_large_text_is_the_same_in_splits(start: bytes, end: str) -> None:
    with written(start + large(end, 260_000)) as file:
        made = splits(file, BLOCK_BYTES)
        assert len(made) > 2
        opened = Opened(file, CONFIG, (1 << 12, BLOCK_BYTES), None)
        assert told_in_splits(opened, [split.begin for split in made[1:]]) == told_whole(opened)


@pytest.mark.parametrize(
    ("config", "data", "name"),
    [
        (CONFIG._replace(sort=True), table(["1"] * 500), "bars.csv"),
        (CONFIG, gzip.compress(large(count=9_000), 0), "bars.csv.gz"),
        (CONFIG, table(["1"] * 500).decode().encode("utf-16"), "bars.csv"),
        (CONFIG, table(["1"] * 500, end="\r"), "bars.csv"),
        (CONFIG, b"no table\n" * 500, "bars.csv"),
        (CONFIG, b"PAR1" + b"\0" * 5000 + b"PAR1", "bars.parquet"),
        (CONFIG, b"ARROW1" + b"\0" * 5000 + b"ARROW1", "bars.arrow"),
        (CONFIG, b"", "bars.csv"),
    ],
)
def test_what_cannot_be_cut_is_one_split(config: JobConfig, data: bytes, name: str) -> None:
    with written(data, name) as file:
        assert splits(file, 100, config) == [Split(file)]


def test_a_missing_file_is_one_split_that_raises_the_error(tmp_path: Path) -> None:
    file = input_of(str(tmp_path / "none.csv"))
    assert splits(file, 100) == [Split(file)]
    with pytest.raises(JobError, match="not found"), opened_split(Split(file), CONFIG, None):
        raise AssertionError("not opened")


def test_files_stay_in_their_order_and_small_ones_whole(bars: bytes, tmp_path: Path) -> None:
    for name, data in (("b", table(["1"])), ("a", bars), ("c", table(["2"]))):
        (tmp_path / name).write_bytes(data)
    found = [input_of(str(tmp_path / name)) for name in "bac"]
    made = splits_of(found, CONFIG, None, 2 << 20)
    assert [split.file.path[-1] for split in made] == ["b", "a", "a", "c"]
    assert [split.number for split in made] == [0, 0, 1, 0]


@pytest.mark.parametrize("group", [90, 5000])
@pytest.mark.parametrize("form", ["parquet", "arrow"])
def test_a_columnar_file_is_cut_at_multiples_of_a_number_of_rows(
    form: Format, group: int, tmp_path: Path
) -> None:
    path = tmp_path / "bars"
    stored(frame(1000, "doubles", "times", "none", "symbol"), path, form, group)
    assert row_cuts(str(path), form, 4, 100) == [200, 500, 800]
    assert row_cuts(str(path), form, 90, 400) == [400, 800]
    assert row_cuts(str(path), form, 4) == []


@pytest.mark.parametrize("form", ["parquet", "arrow"])
def test_a_large_columnar_file_is_the_same_in_splits(form: str, tmp_path: Path) -> None:
    rows = 5 * CUT_ROWS // 2
    stamps = pl.datetime_range(START, START + timedelta(seconds=rows - 1), "1s", eager=True)
    closes = pl.int_range(rows, eager=True) % 997 / 4
    path = tmp_path / "bars"
    stored(pl.DataFrame({"timestamp": stamps, "close": closes}), path, form, CUT_ROWS)
    file = input_of(str(path))
    made = splits(file, (file.size or 0) // 3)
    assert [split.begin for split in made] == [0, CUT_ROWS, 2 * CUT_ROWS]
    assert [split.end for split in made] == [CUT_ROWS, 2 * CUT_ROWS, None]
    sums = []
    for each in (made, [Split(file)]):
        count = ticks = times = 0
        for split in each:
            with opened_split(split, CONFIG, None) as reader:
                for batch in reader.batches():
                    assert batch.line_of(0) == count + 1
                    assert isinstance(batch.timestamps_ns, np.ndarray)
                    count += batch.rows
                    ticks += sum(batch.closes.values.tolist())
                    times += int((batch.timestamps_ns // 10**9).sum())
        sums.append((count, ticks, times))
    assert sums[0] == sums[1]
    assert sums[0][0] == rows


def refused_in_splits(data: bytes, *, numbered: bool) -> str:
    """Read all splits of a text; return the message of the one that is refused."""
    with written(data) as file:
        made = splits(file, BLOCK_BYTES)
        assert len(made) > 2
        before = 0
        for split in made:
            first_row = before if numbered or not split.number else None
            with opened_split(split, CONFIG, None, first_row) as reader:
                told = read(reader, NOTHING)
                before += lines_passed(reader)
            if told.problem:
                return told.problem.rpartition("/")[2]
    raise AssertionError("nothing is refused")


def test_a_refusal_names_the_true_line_if_the_lines_before_the_split_are_known() -> None:
    data = large(count=260_000).replace(b"2024-05-10 06:00:00,", b"2024-05-10 06:00:00,x")
    line = 1 + data[: data.index(b",x")].count(b"\n")
    assert line > 100_000
    assert f" line {line}: close is 'x" in " " + refused_in_splits(data, numbered=True)
    assert f" line {line}:" not in " " + refused_in_splits(data, numbered=False)


def test_the_bytes_read_of_splits_add_up_to_those_of_the_file(bars: bytes, tmp_path: Path) -> None:
    (tmp_path / "bars.csv").write_bytes(bars)
    stored(frame(1000, "doubles", "times", "none", "symbol"), tmp_path / "a.parquet", "parquet", 90)
    for name, rounding in (("bars.csv", 0), ("a.parquet", 9)):
        file = input_of(str(tmp_path / name))
        total = 0
        for split in splits(file, min(2 << 20, (file.size or 0) // 4)):
            with opened_split(split, CONFIG, None) as reader:
                read(reader, NOTHING)
                total += reader.bytes_read()
        assert (file.size or 0) - rounding <= total <= (file.size or 0)


def seconds_of_1971_to_1973(rows: list[str]) -> list[str]:
    return [rows[0], *(f"{second},1,7\n" for second in range(35_000_000, 125_000_000, 30_000))]


def with_a_line_end_in_quotes(rows: list[str]) -> list[str]:
    field = "line\n" * 20
    return [*rows[:1500], f'{rows[1500][:-2]}"{field}"\n', *rows[1501:]]


@pytest.mark.parametrize("change", [seconds_of_1971_to_1973, with_a_line_end_in_quotes])
def test_a_text_of_which_a_row_needs_what_came_before_is_read_whole(
    change: Callable[[list[str]], list[str]],
) -> None:
    rows = large(count=3000).decode().splitlines(keepends=True)
    with written("".join(change(rows)).encode()) as file:
        opened = Opened(file, CONFIG, (4096, 64), "csv")
        with opened.text() as text:
            cuts = text_cuts(text, 100_000)
        assert len(cuts) > 500
        assert told_in_splits(opened, cuts) is None
        assert told_whole(opened).problem == ""


def test_a_part_of_a_file_that_has_become_shorter_is_not_a_whole_part(bars: bytes) -> None:
    with written(bars) as file:
        first, last = splits(file, 2 << 20)
        with opened_split(first, CONFIG, None) as reader:
            Path(file.path).write_bytes(bars[: bars.index(b"\n", 1 << 20) + 1])
            with pytest.raises(ReadWholeError):
                list(reader.batches())
        assert last.begin > 1 << 20


def test_a_split_is_described_as_its_file(bars: bytes) -> None:
    with written(bars) as file:
        described = Inputs([file], CONFIG).describe(file)
        for split in splits(file, 2 << 20):
            with opened_split(split, CONFIG, None) as reader:
                assert reader.describe() == described


def test_the_symbol_of_a_path_is_that_of_its_splits(bars: bytes, tmp_path: Path) -> None:
    folder = tmp_path / "symbol=BTC"
    folder.mkdir()
    (folder / "bars.csv").write_bytes(bars)
    file = input_of(str(folder / "bars.csv"))
    for split in splits(file, 2 << 20):
        with opened_split(split, CONFIG, None) as reader:
            assert reader.symbol == "BTC"


def test_no_symbols_and_declared_symbols_are_heeded_in_every_split(tmp_path: Path) -> None:
    path = tmp_path / "bars"
    stored(frame(40, "doubles", "times", "several", "code"), path, "parquet", 7)
    for columns in (Columns(symbol=NO_SYMBOLS), Columns(symbol=SymbolFrom("code")), BY_COLUMN):
        config = CONFIG._replace(columns=columns)
        opened = Opened(input_of(str(path)), config, (1 << 12, BLOCK_BYTES), None)
        assert told_in_splits(opened, [7, 21]) == told_whole(opened)


def small_files(folder: Path, count: int = 60) -> list[Input]:
    """Write files of a day each, one of them with a quote and one in another compression."""
    found = []
    for day in range(count):
        stamps = [str(START + timedelta(days=day, hours=hour)) for hour in range(24)]
        data = table([f"{day}.{hour:02}" for hour in range(24)], stamps)
        if day == 7:
            data = data.replace(b"7.05", b'"7.05"')
        path = folder / f"{day:03}.csv"
        path.write_bytes(gzip.compress(data) if day == 9 else data)
        found.append(input_of(str(path)))
    return found


def test_neighbouring_small_files_are_bundled_and_read_as_each_of_them(
    tmp_path: Path, bars: bytes
) -> None:
    found = small_files(tmp_path)
    large_file = tmp_path / "large.csv"
    large_file.write_bytes(bars)
    found.insert(30, input_of(str(large_file)))
    made = splits_of(found, CONFIG, None, 2 << 20)
    bundles = bundled(made, 2 << 20)
    assert [len(bundle) for bundle in bundles] == [30, 1, 1, 30]
    assert [split for bundle in bundles for split in bundle] == made
    for bundle in (bundles[0], bundles[-1]):
        with closing(opened_each(bundle, CONFIG, None)) as each:
            for (file, opened), split in zip(each, bundle, strict=True):
                assert file == split.file
                with opened as reader, opened_split(split, CONFIG, None) as alone:
                    assert read(reader, NOTHING) == read(alone, NOTHING)


def test_a_bundle_has_no_more_bytes_than_asked_for(tmp_path: Path) -> None:
    made = splits_of(small_files(tmp_path), CONFIG, None, 4000)
    for bundle in (bundles := bundled(made, 4000)):
        assert sum(split.file.size or 0 for split in bundle) <= 4000
    assert 1 < len(bundles) < 30


def test_files_of_unknown_size_are_bundled_with_no_others() -> None:
    pipe = Split(Input("-", "-", "stdin", None, ()))
    file = Split(Input("a.csv", "a.csv", "file", 10, ()))
    assert bundled([pipe, pipe, file, file, pipe], 100) == [[pipe], [pipe], [file, file], [pipe]]


def test_an_empty_file_is_not_bundled_with_a_part_of_another() -> None:
    empty = Split(Input("e.csv", "e.csv", "file", 0, ()))
    part = Split(Input("a.csv", "a.csv", "file", 10, ()), 1, 5)
    assert bundled([empty, part, empty], 100) == [[empty], [part], [empty]]


def bytes_that_are_read(act: Callable[[], object]) -> int:
    def so_far() -> int:
        return int(Path("/proc/self/io").read_text().split()[1])

    before = so_far()
    act()
    return so_far() - before


@pytest.mark.skipif(not Path("/proc/self/io").exists(), reason="Linux counts what is read")
def test_a_cut_of_a_text_reads_hardly_any_bytes_twice() -> None:
    """To cut it reads up to 64 KiB before the line end, a split the beginning of the file."""
    with written(large(count=260_000)) as file:

        def read_all(bytes_each: int) -> None:
            for split in splits(file, bytes_each):
                with opened_split(split, CONFIG, None) as reader:
                    assert all(batch.rows for batch in reader.batches())

        read_all(1 << 30)
        whole = bytes_that_are_read(lambda: read_all(1 << 30))
        cut = bytes_that_are_read(lambda: read_all(BLOCK_BYTES))
        assert (file.size or 0) <= whole <= (file.size or 0) + 10_000
        assert cut <= whole + 2 * (64 << 10) + 3 * 10_000


def test_first_rows_that_do_not_tell_how_times_are_written_have_the_file_read_whole(
    tmp_path: Path,
) -> None:
    """Whether the 1st to the 12th are days or months, only the 13th tells."""
    times = [START + timedelta(minutes=10 * row) for row in range(2000)]
    stamps = [f"{time.day}/{time.month}/{time.year} {time:%H:%M}" for time in times]
    path = tmp_path / "bars"
    pl.DataFrame({"timestamp": stamps, "close": [1.5] * len(stamps)}).write_parquet(path)
    opened = Opened(input_of(str(path)), CONFIG, (1 << 12, BLOCK_BYTES), None)
    assert told_whole(opened).problem == ""
    assert told_in_splits(opened, [1900]) is None
    head = tmp_path / "head"
    pl.DataFrame({"timestamp": stamps[1700:], "close": [1.5] * 300}).write_parquet(head)
    opened = opened._replace(file=input_of(str(head)))
    assert told_in_splits(opened, [100, 200]) == told_whole(opened)


def test_splits_make_no_more_passes_over_arrays() -> None:
    with written(large(count=260_000)) as file:
        counts = []
        for bytes_each in (1 << 30, BLOCK_BYTES):
            with counted() as (passes, _):
                for split in splits(file, bytes_each):
                    with opened_split(split, CONFIG, None) as reader:
                        assert all(batch.rows for batch in reader.batches())
            counts.append((passes.calls, passes.bytes))
    assert 0 < counts[1][0] <= counts[0][0]
    assert 0 < counts[1][1] <= counts[0][1]
