"""NDJSON: the same closes, words and refusals as the same bars have in a text table."""

import gzip
import json
import re
from contextlib import closing, suppress
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rollsignal.config.rules import NO_SYMBOLS, SymbolFrom
from rollsignal.config.settings import Checks, Columns, JobConfig
from rollsignal.core.ledger import Missing
from rollsignal.errors import DataError
from rollsignal.files.find import input_of
from rollsignal.readers.keyed import MAX_KNOWN_SHAPES
from rollsignal.readers.ndjson import NdjsonReader
from rollsignal.readers.opening import OpenedFile
from tests.support import oracle, tables
from tests.support.deciding import decide
from tests.support.strategies import Series, series, spelled
from tests.support.tables import CONFIG, Bars

BY_COLUMN = CONFIG._replace(columns=Columns(symbol=SymbolFrom("symbol")))
UNCHECKED = CONFIG._replace(checks=Checks("off", "off"))
POLICIES: list[Missing] = ["skip", "gap"]
SPELLED_IN_JSON = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")


def text_of(records: list[dict[str, Any]]) -> str:
    return "".join(json.dumps(record) + "\n" for record in records)


def read(data: str | bytes, config: JobConfig = CONFIG, name: str = "bars.ndjson") -> Bars:
    """Read all rows of a file; raises `DataError`."""
    with TemporaryDirectory() as folder:
        path = Path(folder, name)
        path.write_bytes(data if isinstance(data, bytes) else data.encode())
        with closing(OpenedFile(input_of(str(path)), "ndjson")) as file:
            return tables.bars_of(NdjsonReader(file, config))


def symbols(data: str, config: JobConfig = BY_COLUMN) -> list[str]:
    """Read the symbols of all rows."""
    with TemporaryDirectory() as folder:
        Path(folder, "bars").write_text(data)
        with closing(OpenedFile(input_of(f"{folder}/bars"))) as file:
            batches = list(NdjsonReader(file, config).batches())
    return [symbol for batch in batches for symbol in batch.symbols or []]


def refusal(data: str | bytes, config: JobConfig = CONFIG) -> str:
    """Decide a file that is refused: the message, with the name of the file alone."""
    with TemporaryDirectory() as folder:
        path = Path(folder, "bars.ndjson")
        path.write_bytes(data if isinstance(data, bytes) else data.encode())
        with pytest.raises(DataError) as caught:
            decide([str(path)], config, format="ndjson")
    return caught.value.message.replace(f"{folder}/", "")


@given(series(max_scale=25), st.data())
def test_closes_are_exactly_what_is_written_as_numbers_or_as_strings(
    bars: Series, data: st.DataObject
) -> None:
    cells = [data.draw(spelled(tick, bars.scale)) for tick in bars.ticks if tick is not None]
    written = [
        cell if SPELLED_IN_JSON.fullmatch(cell) and data.draw(st.booleans()) else json.dumps(cell)
        for cell in ["0", *cells]
    ]
    result = read("".join(f'{{"time": 1, "close": {cell}}}\n' for cell in written), UNCHECKED)
    assert result == Bars(oracle.prices(["0", *cells]), [], list(range(1, len(cells) + 2)))


def test_a_close_that_no_double_holds_is_kept() -> None:
    closes = [
        "0.1",
        "100.10",
        "123456789012345678901234567890.123456789",
        "1e-400",
        "9007199254740993",
    ]
    assert read("".join(f'{{"close":{close}}}\n' for close in closes)).closes == oracle.prices(
        closes
    )


@pytest.mark.parametrize(
    "cell",
    ["x", "1,5", "1_000", "inf", "1e401", "", " ", "NaN", "n/a", "-", "0x1", "٣", "9" * 4001],
)
def test_a_bad_close_has_the_same_message_as_in_a_text_table(cell: str) -> None:
    message = refusal(text_of([{"close": "1"}, {"close": "2"}, {"close": cell}]))
    expected = tables.refusal(f'n,close\n1,1\n2,"{cell}"\n')
    # These settings are those of text tables.
    settings = ", or say with table.decimal and table.thousands how they are written"
    expected = expected.replace(settings, "")
    assert message.partition(": ")[::2] == ("bars.ndjson line 3", expected.partition(": ")[2])


@pytest.mark.parametrize(
    ("value", "cell"),
    [
        ("null", "''"),
        ("NaN", "'NaN'"),
        ('""', "''"),
        ('"n/a"', "'n/a'"),
        (None, "''"),
    ],
)
def test_a_missing_close_is_treated_as_the_config_says(value: str | None, cell: str) -> None:
    row = '{"open":1}' if value is None else f'{{"open":1,"close":{value}}}'
    text = f'{{"close":1.5}}\n{row}\n{{"close":"2"}}\n{{"close":3}}\n{{"close":4}}\n'
    assert refusal(text) == (
        f"bars.ndjson line 2: close is {cell}, not a number"
        " (set missing: skip to leave such rows out, or gap for no signal near them)"
    )
    for policy in POLICIES:
        bars = read(text, CONFIG._replace(missing=policy))
        assert bars == Bars(oracle.prices(["1.5", None, "2", "3", "4"]), [], [1, 2, 3, 4, 5])


@pytest.mark.parametrize(
    ("value", "cell"),
    [
        ("true", "true"),
        ("false", "false"),
        ("[1]", "[…]"),
        ('{"value": 1}', "{…}"),
        ('"1\\n2"', "1\\n2"),
        ('"1\\u0000"', "1\\x00"),
    ],
)
def test_a_value_that_is_not_a_number_is_refused_as_close(value: str, cell: str) -> None:
    for policy in ("error", *POLICIES):
        message = refusal(f'{{"close":1}}\n{{"close":{value}}}\n', CONFIG._replace(missing=policy))
        assert message == f"bars.ndjson line 2: close is '{cell}', not a number"


def test_timestamps_are_read_as_in_a_text_table() -> None:
    for stamps in (
        ["2024-01-31", "2024-02-01"],
        ["2024-01-31T23:59:59.5Z", "2024-02-01T00:00:00Z"],
        [1706745599, 1706745600],
        [1706745599000, 1706745600000],
    ):
        rows = [{"time": stamp, "close": 1} for stamp in stamps]
        csv = "time,close\n" + "".join(f"{stamp},1\n" for stamp in stamps)
        assert read(text_of(rows)).times_ns == tables.read(csv).times_ns != []
        assert read(text_of(rows), UNCHECKED).times_ns == []


@pytest.mark.parametrize("stamp", [None, "x", True, 1.5, [1], "2024-02-30"])
def test_a_bad_timestamp_is_reported_with_its_line(stamp: Any) -> None:
    rows = [{"date": "2024-01-01", "close": 1}, {"date": stamp, "close": 2}]
    for records in (rows, [rows[0], {"close": 2}]):
        message = refusal(text_of(records))
        assert message.startswith("bars.ndjson line 2: date is '")
        assert message.endswith("else correct its time)")


def test_a_bar_that_is_not_later_is_reported_with_its_line() -> None:
    rows = [{"time": f"2024-01-0{day}", "close": 1} for day in (1, 3, 2, 4)]
    assert refusal("\n" + text_of(rows)) == (
        "bars.ndjson line 4: time is earlier than 2024-01-03T00:00:00Z in the previous row"
        " (for one series set order: newest_first if each file stands so, else sort: true if all"
        " times are right, with timezone: NAME if times without a zone are those of a place; for"
        " several set columns: {symbol: NAME})"
    )


@given(st.data(), st.lists(st.permutations(["close", "time", "note"]), min_size=1, max_size=9))
def test_keys_may_stand_in_any_order_and_others_come_and_go(
    data: st.DataObject, orders: list[list[str]]
) -> None:
    extra = st.dictionaries(st.sampled_from(["open", "tags", "Volume"]), st.lists(st.none()))
    rows: list[dict[str, Any]] = []
    for row, keys in enumerate(orders):
        values = {"close": row, "time": 1700000000 + row, "note": "[x]"}
        rows.append({key: values[key] for key in keys} | data.draw(extra))
    bars = read(text_of(rows))
    assert bars.closes == list(range(len(rows)))
    assert bars.times_ns == [(1700000000 + row) * 10**9 for row in range(len(rows))]


def test_columns_are_found_in_the_first_object_as_in_a_header() -> None:
    assert read('{"Open":9," CLOSE ":1}\n{" CLOSE ":2}\n').closes == [1, 2]
    both = '{"CLOSE":9,"close":1}\n{"close":2,"CLOSE":9}\n'
    declared = CONFIG._replace(columns=Columns(close="close"))
    assert read(both, declared).closes == [1, 2]
    assert "2 columns are named 'close'; keep one (or name one of" in refusal(both)
    named = CONFIG._replace(columns=Columns(close="px"))
    assert read('{"close":9,"px":1}\n{"px":2,"close":9}\n', named).closes == [1, 2]
    assert refusal('\n\n{"price":1,"open":2}\n') == (
        "bars.ndjson line 3: no 'close' column in the header: 'price', 'open'"
        " (name yours in the config under columns; if these are the closes, set columns: {close:"
        " price})"
    )
    assert refusal('{"Close":1,"CLOSE":1}').startswith(
        "bars.ndjson line 1: 2 columns are named 'close'; keep one"
    )
    assert refusal("{}\n").startswith("bars.ndjson line 1: no 'close' column in the header: ")
    stamped = CONFIG._replace(columns=Columns(timestamp="at"))
    assert refusal('{"close":1}', stamped).startswith("bars.ndjson line 1: no 'at' column")
    assert refusal('{"close":1}', BY_COLUMN).startswith("bars.ndjson line 1: no 'symbol' column")


@pytest.mark.parametrize(
    ("first", "later", "problem"),
    [
        ("close", "Close", "the key 'Close', where the first object has 'close'"),
        ("Close", "close", "the key 'close', where the first object has 'Close'"),
        ("close", "close\t", "the key 'close\\t', where the first object has 'close'"),
    ],
)
def test_a_close_under_another_name_than_in_the_first_object_is_refused(
    first: str, later: str, problem: str
) -> None:
    rows = [{first: 1}, {first: 2, "x": 1}, {later: 3, "x": 2}]
    for policy in ("error", *POLICIES):
        message = refusal(text_of(rows), CONFIG._replace(missing=policy))
        assert message == f"bars.ndjson line 3: {problem}"


def test_timestamps_and_symbols_that_only_later_objects_have_are_refused() -> None:
    rows: list[dict[str, Any]] = [{"close": 1}, {"close": 2, "time": "2024-01-01"}]
    problem = "bars.ndjson line 2: the key 'time', where the first object has no such key"
    assert refusal(text_of(rows)) == problem
    assert read(text_of(rows), UNCHECKED).closes == [1, 2]
    rows = [{"close": 1, "symbol": "A"}, {"close": 1, "Symbol": "A"}]
    problem = "bars.ndjson line 2: the key 'Symbol', where the first object has 'symbol'"
    assert refusal(text_of(rows), BY_COLUMN) == problem
    assert refusal(text_of(rows)) == problem
    assert read(text_of(rows), CONFIG._replace(columns=Columns(symbol=NO_SYMBOLS))).closes == [1, 1]


def test_objects_of_very_many_shapes_are_read() -> None:
    rows = [{"close": row, f"key {row}": 1} for row in range(3 * MAX_KNOWN_SHAPES)]
    assert read(text_of(rows)).closes == list(range(3 * MAX_KNOWN_SHAPES))


def test_symbols_are_text_or_numbers_as_written() -> None:
    written = ['"A"', '" A\\t"', "600000", "1.50", '"é"', '"\\u00e9"', '"\\ud83d\\ude80"', '"[x]"']
    text = "".join(f'{{"symbol":{symbol},"close":1}}\n' for symbol in written)
    assert symbols(text) == ["A", "A", "600000", "1.50", "é", "é", "🚀", "[x]"]


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ("null", "the symbol is empty"),
        ('" "', "the symbol is empty"),
        (None, "the symbol is empty"),
        ("true", "the symbol is 'true', not plain text"),
        ('["A"]', "the symbol is '[…]', not plain text"),
        ('{"id": 1}', "the symbol is '{…}', not plain text"),
        ('"\\ud800"', "the symbol is '\\ud800', not plain text"),
        ('"A\\u0000"', "the symbol is 'A\\x00', not plain text"),
    ],
)
def test_a_value_that_is_not_a_symbol_is_refused(value: str | None, problem: str) -> None:
    row = '{"close":1}' if value is None else f'{{"symbol":{value},"close":1}}'
    text = f'{{"symbol":"A","close":1}}\n{row}\n'
    assert refusal(text, BY_COLUMN) == f"bars.ndjson line 2: {problem}"


def test_blank_lines_are_left_out_and_lines_are_those_of_an_editor() -> None:
    for end in ("\n", "\r\n", "\r"):
        text = end.join(["", " \t", '{"close":1}', "", '  {"close" : 2}  ', '{"close":3}', "", ""])
        assert read(text) == Bars([Fraction(close) for close in (1, 2, 3)], [], [3, 5, 6])


def test_only_a_line_feed_ends_a_line() -> None:
    signs = "\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029"
    text = "".join(f'{{"close":1,"note":"{sign if sign > " " else "x"}"}}\n' for sign in signs)
    assert read(text + '{"close":2}').lines == list(range(1, len(signs) + 2))


@pytest.mark.parametrize("gap", ["", "\n"])
def test_a_long_file_is_read_in_batches_and_its_lines_are_counted_on(gap: str) -> None:
    rows = 30_000
    text = "".join(f'{{"time":{10**9 + row},"close":{row}.5}}\n{gap}' for row in range(rows))
    step = 1 + len(gap)
    bars = read(text)
    assert bars.lines == list(range(1, step * rows + 1, step))
    assert bars.closes == [row + Fraction(1, 2) for row in range(rows)]
    bad = text.replace('"close":29000.5}', '"close":29000.5')
    assert refusal(bad).startswith(f"bars.ndjson line {29_000 * step + 1}: the object does not end")
    with TemporaryDirectory() as folder:
        Path(folder, "bars").write_text(text)
        with closing(OpenedFile(input_of(f"{folder}/bars"))) as file:
            sizes = [len(batch.cells) for batch in NdjsonReader(file, CONFIG).batches()]
    assert sum(sizes) == rows


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_encodings_and_compressions_change_nothing(encoding: str) -> None:
    text = '{"close":1,"note":"é"}\n{"close":2.50}\n'
    for pack in (bytes, gzip.compress):
        assert read(pack(text.encode(encoding))).closes == [1, Fraction(5, 2)]


@pytest.mark.parametrize("data", ["", "\n", " \n\t\n", "\ufeff"])
def test_a_file_without_an_object_is_a_table_without_bars(data: str) -> None:
    assert refusal(data) == "bars.ndjson: no rows"


@pytest.mark.parametrize("name", ["a.ndjson", "a.jsonl.gz", "z.ndjson"])
def test_a_file_without_an_object_changes_nothing_among_others(tmp_path: Path, name: str) -> None:
    bars = "".join(f'{{"time": "2024-01-0{day}", "close": {day}}}\n' for day in range(1, 5))
    (tmp_path / "bars.ndjson").write_text(bars)
    (tmp_path / name).write_bytes(gzip.compress(b"\n") if name.endswith("gz") else b"\n")
    paths = [str(tmp_path / file) for file in ("bars.ndjson", name)]
    for order in (paths, paths[::-1]):
        result = decide(order, CONFIG)
        assert result.tally == decide(paths[:1], CONFIG).tally
        assert result.files[paths[1]].description.endswith("utf-8, ndjson, no objects")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (
            "time,close\n1,2\n",
            "'time,close', not a JSON object (if this is a text table: --format csv)",
        ),
        (
            '{\n  "close": 1\n}\n',
            "the object does not end on its line:"
            " is the file cut off, or the object on several lines?"
            " (if the file is one JSON document: --format json)",
        ),
    ],
)
def test_other_text_formats_are_refused_with_what_to_do(text: str, problem: str) -> None:
    assert refusal(text) == f"bars.ndjson line 1: {problem}"


def test_bars_before_a_bad_line_are_checked_first() -> None:
    text = '{"close":1}\n{"close":"1x"}\n{"close":\n'
    assert refusal(text) == "bars.ndjson line 2: close is '1x', not a number"


@pytest.mark.parametrize(
    ("data", "line"),
    [
        (b'{"close":1}\n{"close":2,"note":"\xff"}\n', 2),
        (b'{"close":1,"\xe9":1}\n', 1),
        (b'{"close":1}\n{"close":2}\0\n', 2),
    ],
)
def test_bytes_that_are_not_text_are_refused(data: bytes, line: int) -> None:
    assert refusal(data).startswith(f"bars.ndjson line {line}: the line ")


def test_a_file_is_described_by_its_format_and_columns(tmp_path: Path) -> None:
    (tmp_path / "bars").write_bytes(gzip.compress(b'{"Close":1,"date":"2024-01-01"}\n'))
    for config, stamp in ((CONFIG, "date"), (UNCHECKED, "none")):
        with closing(OpenedFile(input_of(str(tmp_path / "bars")))) as file:
            description = NdjsonReader(file, config).describe()
        assert description == f"gzip, utf-8, ndjson, close from Close, timestamp from {stamp}"


def by_definition(text: str) -> list[oracle.Price]:
    """Read the closes line by line, as decimals; raises for a line that is not an object."""
    records = [
        json.loads(line, parse_float=str, parse_int=str)
        for line in text.removeprefix("\ufeff").split("\n")
        if line.strip()
    ]
    return [Fraction(Decimal(record["close"].strip(" \t"))) for record in records]


SIGNS = st.sampled_from('0123456789.,{}[]":-+eE_ \t\n\0\ufeff٥xNcl')
prices = st.integers(-99_999, 999_999).map(lambda cents: f"{Decimal(cents) / 100:.2f}")


@settings(max_examples=250)
@given(st.lists(prices, min_size=1, max_size=4), st.booleans(), st.data())
def test_a_file_corrupted_by_a_character_is_refused_or_read_as_it_stands(
    closes: list[str], quoted: bool, data: st.DataObject
) -> None:
    mark = '"' if quoted else ""
    text = "".join(f'{{"note":"x","close":{mark}{close}{mark}}}\n' for close in closes)
    spot = data.draw(st.integers(0, len(text)))
    left_out = data.draw(st.sampled_from([0, 1]))
    text = text[:spot] + data.draw(st.one_of(SIGNS, st.just(""))) + text[spot + left_out :]
    try:
        bars = read(text)
    except DataError:
        return
    assert bars.closes == by_definition(text)


@given(st.lists(prices, min_size=1, max_size=4), st.data())
def test_a_file_cut_off_anywhere_gives_no_close_that_was_not_there(
    closes: list[str], data: st.DataObject
) -> None:
    text = "".join(f'{{"close":{close}, "volume": 10}}\n' for close in closes)
    cut = data.draw(st.integers(0, len(text)))
    if cut == 0 or text[cut - 1] in "}\n":
        read_closes = read(text[:cut]).closes if cut else []
        assert read_closes == oracle.prices(closes)[: len(read_closes)]
    else:
        problem = refusal(text[:cut])
        line = text.count("\n", 0, cut) + 1
        assert problem.startswith(f"bars.ndjson line {line}: the object does not end on its line")


@given(st.sampled_from([b"", b'{"close":1}\n', b'{"close":']), st.binary())
def test_any_bytes_are_read_or_refused(beginning: bytes, rest: bytes) -> None:
    with suppress(DataError):
        read(beginning + rest)


@pytest.mark.parametrize("text", ['{"bars": [{"date": "2024-01-01", "close": 1}]}\n', '{"a": {}}'])
def test_a_document_on_one_line_is_refused_with_the_format_that_lets_it_in(text: str) -> None:
    with pytest.raises(DataError) as caught:
        read(text)
    assert caught.value.detail == "if the file is one JSON document: --format json"
