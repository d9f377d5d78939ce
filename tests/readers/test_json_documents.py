"""JSON documents: bars in any form are the bars of a text table, or the document is refused."""

import bz2
import gzip
import json
import os
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rollsignal.config.rules import NO_SYMBOLS, DateAndTime, SymbolFrom
from rollsignal.config.settings import Checks, Columns, JobConfig, Table
from rollsignal.engines.inputs import reader_of
from rollsignal.errors import DataError
from rollsignal.files.find import input_of
from rollsignal.files.formats import Format
from rollsignal.readers import json_bars
from rollsignal.readers.json_bars import ROWS_AT_ONCE
from rollsignal.readers.json_text import MAX_VALUE_CHARS, JsonText
from rollsignal.readers.opening import OpenedFile
from tests.support import oracle, tables
from tests.support.deciding import decide
from tests.support.strategies import Series, series, spelled
from tests.support.tables import CONFIG, Bars

NAMED = CONFIG
PLACES = CONFIG._replace(columns=Columns(close=2, timestamp=1))
SHORT = CONFIG._replace(columns=Columns(close="c"))
START = 1_704_067_200
DAY_NS = 86_400 * 10**9
C = ["10.10", "10.20", "10.10", "10.40", "10.30"]
DAYS = [f"2024-01-0{day}" for day in range(1, 6)]


def at(config: JobConfig, records: str) -> JobConfig:
    return config._replace(table=Table(records=records))


def objects(cells: list[str], key: str = "close") -> str:
    rows = (f'{{"t": {START + 86_400 * n}, "{key}": {cell}}}' for n, cell in enumerate(cells))
    return f"[{', '.join(rows)}]"


def arrays(cells: list[str]) -> str:
    return f"[{', '.join(f'[{START + 86_400 * n}, {cell}]' for n, cell in enumerate(cells))}]"


def columns(cells: list[str]) -> str:
    times = ", ".join(str(START + 86_400 * n) for n in range(len(cells)))
    return f'{{"t": [{times}], "close": [{", ".join(cells)}]}}'


def times(cells: list[str]) -> str:
    rows = (f'"{START + 86_400 * n}": {{"close": {cell}}}' for n, cell in enumerate(cells))
    return f"{{{', '.join(rows)}}}"


FORMS: dict[str, tuple[Callable[[list[str]], str], JobConfig]] = {
    "objects": (objects, NAMED),
    "arrays": (arrays, PLACES),
    "columns": (columns, NAMED),
    "times": (times, NAMED),
}
AROUND = ["{}", '{"results": {}}', '{"n": 1, "data": {"items": {}}, "empty": [], "next": null}']


def pretty(text: str) -> str:
    return text.replace("[", "[\r\n\t").replace("}, ", "}\n,\n").replace(": ", " : ")


def read(
    data: str | bytes,
    config: JobConfig = NAMED,
    name: str = "bars.json",
    wanted: Format | None = None,
    sizes: tuple[int, int] | None = None,
) -> Bars:
    """Read all bars of a file; raises `DataError`."""
    with TemporaryDirectory() as folder:
        path = Path(folder, name)
        path.write_bytes(data if isinstance(data, bytes) else data.encode())
        with closing(OpenedFile(input_of(str(path)), wanted, *sizes or ())) as file:
            assert file.format == "json"
            return tables.bars_of(reader_of(file, config, 0))


def symbols(data: str, config: JobConfig = NAMED) -> list[str]:
    """Read the symbols of all bars."""
    with TemporaryDirectory() as folder:
        Path(folder, "bars").write_text(data)
        with closing(OpenedFile(input_of(f"{folder}/bars"))) as file:
            batches = list(reader_of(file, config, 0).batches())
    return [str(symbol) for batch in batches for symbol in batch.symbols or []]


def refusal(data: str | bytes, config: JobConfig = NAMED, name: str = "bars.json") -> str:
    """Decide a file that is refused: the message with its hint, and the file's name alone."""
    with TemporaryDirectory() as folder:
        path = Path(folder, name)
        path.write_bytes(data if isinstance(data, bytes) else data.encode())
        with pytest.raises(DataError) as caught:
            decide([str(path)], config)
    return str(caught.value).replace(f"{folder}/", "")


def by_definition(cells: list[str]) -> Bars:
    stamps = [START * 10**9 + DAY_NS * number for number in range(len(cells))]
    return Bars(oracle.prices(cells), stamps, list(range(1, len(cells) + 1)))


@settings(max_examples=60)
@given(series(max_scale=25), st.data(), st.sampled_from([*FORMS]), st.sampled_from(AROUND))
def test_bars_in_every_form_are_exactly_what_is_written(
    bars: Series, data: st.DataObject, form: str, around: str
) -> None:
    written = [data.draw(spelled(tick, bars.scale)) for tick in bars.ticks if tick is not None]
    cells = ["0.10", *written]
    plain = [json.dumps(cell) if data.draw(st.booleans()) else cell for cell in cells]
    plain = [cell if _is_json(cell) else json.dumps(cell) for cell in plain]
    write, config = FORMS[form]
    text = around.replace("{}", write(plain), 1)
    assert read(data.draw(st.sampled_from([text, pretty(text)])), config) == by_definition(cells)


def _is_json(cell: str) -> bool:
    try:
        json.loads(cell)
    except ValueError:
        return False
    return True


@pytest.mark.parametrize("form", FORMS)
def test_numbers_never_pass_through_a_double(form: str) -> None:
    cells = ["0.1", "100.10", "123456789012345678901234567890.123456789", "1e-400", "1E+2"]
    write, config = FORMS[form]
    assert read(write(cells), config) == by_definition(cells)


@settings(max_examples=60)
@given(st.sampled_from([*FORMS]), st.integers(1, 90), st.integers(1, 40), st.booleans())
def test_it_does_not_matter_where_the_text_is_cut_into_pieces(
    form: str, first: int, block: int, is_pretty: bool
) -> None:
    write, config = FORMS[form]
    text = f'{{"näme": "\\u00e9é{"x" * 50}", "bars": {write(C)}}}'
    text = pretty(text) if is_pretty else text
    assert read(text, config, wanted="json", sizes=(first, block)) == by_definition(C)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_encodings_and_compressions_change_nothing(form: str, encoding: str) -> None:
    write, config = FORMS[form]
    text = "\n \t" + '{"né": "\U0001f680", "bars": ' + write(C) + "}\n"
    for pack in (bytes, gzip.compress, bz2.compress):
        assert read(pack(text.encode(encoding)), config) == by_definition(C)


@pytest.mark.parametrize("form", FORMS)
def test_a_document_that_is_cut_off_anywhere_is_refused(form: str) -> None:
    write, config = FORMS[form]
    text = '{"a": 1, "bars": ' + write(C) + ', "z": [null]}'
    for end in range(1, len(text)):
        message = refusal(text[:end], config)
        assert message.startswith("bars.json"), end
    assert refusal(text[:-9], config).endswith(
        "the document ends in the middle: is the file cut off?"
    )


SIGNS = st.sampled_from('0123456789.,{}[]":-+eE_ \t\n\0\ufeff٥xNcl')
prices = st.integers(-99_999, 999_999).map(lambda cents: f"{Decimal(cents) / 100:.2f}")


@settings(max_examples=250)
@given(st.lists(prices, min_size=1, max_size=4), st.booleans(), st.data())
def test_a_document_corrupted_by_a_character_is_refused_or_read_as_it_stands(
    closes: list[str], quoted: bool, data: st.DataObject
) -> None:
    mark = '"' if quoted else ""
    rows = ", ".join(f'{{"note":"x","close":{mark}{close}{mark}}}' for close in closes)
    text = f'{{"bars": [{rows}], "n": 1}}'
    spot = data.draw(st.integers(0, len(text)))
    left_out = data.draw(st.sampled_from([0, 1]))
    text = text[:spot] + data.draw(st.one_of(SIGNS, st.just(""))) + text[spot + left_out :]
    try:
        bars = read(text, wanted="json")
    except DataError:
        return
    assert bars.closes == closes_by_definition(text)


def closes_by_definition(text: str) -> list[oracle.Price]:
    """Read the closes of the only array as decimals; raises for what is not JSON."""

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        assert len(dict(pairs)) == len(pairs)
        return dict(pairs)

    document = json.loads(
        text.removeprefix("\ufeff"), object_pairs_hook=once, parse_float=str, parse_int=str
    )
    (rows,) = [value for value in document.values() if isinstance(value, list)]
    return [Fraction(Decimal(row["close"].strip(" \t"))) for row in rows]


@given(st.sampled_from([b"", b'{"bars":[{"close":1}', b'[{"close":1},', b"[[1,"]), st.binary())
def test_any_bytes_are_read_or_refused(beginning: bytes, rest: bytes) -> None:
    with suppress(DataError), TemporaryDirectory() as folder:
        path = Path(folder, "bars.json")
        path.write_bytes(beginning + rest)
        decide([str(path)], CONFIG)


DOCUMENTS: dict[str, tuple[str, JobConfig]] = {
    "an object with another in front": (f'{{"meta": {{"n": 1}}, "data": {objects(C)}}}', NAMED),
    "Alpaca": (f'{{"bars": {objects(C, "c")}, "next_page_token": null}}', SHORT),
    "Alpaca, several symbols": (f'{{"bars": {{"BRK.B": {objects(C, "c")}}}}}', SHORT),
    "Polygon": (f'{{"queryCount": 5, "results": {objects(C, "c")}, "status": "OK"}}', SHORT),
    "Kraken": (f'{{"error": [], "result": {{"XXBTZUSD": {arrays(C)}, "last": 17}}}}', PLACES),
    "CoinGecko": (f'{{"prices": {arrays(C)}, "caps": {arrays(C)}}}', at(PLACES, "prices")),
    "the second of two": (
        f'{{"caps": {arrays(["7"])}, "a": {{"b": {arrays(C)}}}}}',
        at(PLACES, "a.b"),
    ),
    "Finnhub": (f'{{"s": "ok", {columns(C)[1:].replace("close", "c")}', SHORT),
    "names with dots": (
        f'{{"x.y": {{"x": {objects(["7"])}, "z": {objects(C)}}}}}',
        at(NAMED, "x.y.z"),
    ),
    "an order book beside the bars": (f'{{"bids": [[1, 2]], "bars": {objects(C)}}}', NAMED),
    "split of pandas": (
        f'{{"columns": ["t", "close"], "index": [0], "data": {arrays(C)}}}',
        PLACES,
    ),
}


@pytest.mark.parametrize("name", DOCUMENTS)
def test_bars_are_found_in_the_documents_of_vendors(name: str) -> None:
    text, config = DOCUMENTS[name]
    for layout in (text, pretty(text)):
        assert read(layout, config) == by_definition(C)


def alpha_vantage(days: list[str], cells: list[str]) -> str:
    rows = {day: {"1. open": "1", "4. close": cell} for day, cell in zip(days, cells, strict=True)}
    meta = {"1. Information": "x", "2. Symbol": "IBM"}
    return json.dumps({"Meta Data": meta, "Time Series (Daily)": rows}, indent=4)


def test_times_as_keys_may_be_newest_first_if_they_are_sorted() -> None:
    config = CONFIG._replace(columns=Columns(close="4. close"))
    text = alpha_vantage(DAYS[::-1], C[::-1])
    assert refusal(text, config) == (
        "bars.json row 2: timestamp is earlier than 2024-01-05T00:00:00Z in the previous row"
        " (for one series set order: newest_first if each file stands so, else sort: true if all"
        " times are right, with timezone: NAME if times without a zone are those of a place; for"
        " several set columns: {symbol: NAME})"
    )
    with TemporaryDirectory() as folder:
        Path(folder, "bars.json").write_text(text)
        found = decide([f"{folder}/bars.json"], config._replace(sort=True))
        table = "date,close\n" + "".join(f"{d},{c}\n" for d, c in zip(DAYS, C, strict=True))
        Path(folder, "bars.csv").write_text(table)
        assert found.digest == decide([f"{folder}/bars.csv"], CONFIG).digest
    assert (found.tally.rows, found.tally.signals) == (5, 5 - CONFIG.window + 1)


def test_columns_that_are_places_are_those_of_the_arrays() -> None:
    rows = [[day, "x", clock, close] for day, clock, close in zip(DAYS, "12345", C, strict=True)]
    text = json.dumps([[day, mark, f"0{clock}:00", close] for day, mark, clock, close in rows])
    config = CONFIG._replace(columns=Columns(close=4, timestamp=DateAndTime(1, 3)))
    assert read(text, config).closes == oracle.prices(C)
    assert read(text, config).times_ns == [
        (START + number * 90_000 + 3600) * 10**9 for number in range(5)
    ]
    found = CONFIG._replace(columns=Columns(close=4, symbol=SymbolFrom(2)))
    assert symbols(text, found) == ["x"] * 5


@pytest.mark.parametrize(
    ("text", "config", "message"),
    [
        (
            arrays(C),
            CONFIG,
            "bars.json row 1: the bars are arrays, whose values have no names (set columns:"
            " {timestamp: T, close: C} with the places of both in place of T and C, counted from"
            " 1)",
        ),
        (
            arrays(C),
            CONFIG._replace(columns=Columns(close=3)),
            "bars.json row 1: columns.close is 3, but the bars are arrays of 2 values",
        ),
        (
            "[[1704067200000, 1704067259999, 7]]",
            CONFIG._replace(columns=Columns(close=3)),
            "bars.json row 1: the columns '1' and '2' may each be the timestamps; say which (set"
            " columns: {timestamp: 1} or {timestamp: 2}, whichever is the time of the bars)",
        ),
        (
            objects(C),
            PLACES,
            "bars.json row 1: columns.close is the place 2, but the bars are objects with names"
            ' (name the column as it is here; if 2 is its name, write close: "2")',
        ),
        (
            f'{{"a": {objects(C)}}}',
            PLACES,
            "bars.json at 'a': objects, where columns.close is the place 2"
            " (name their column: 't', 'close')",
        ),
        (
            f'{{"a": {objects(C)}, "b": {{"c d": {objects(C)}}}}}',
            CONFIG,
            "bars.json: 'a' and 'b.c d' may each be the bars"
            " (set table: {records: a} or {records: b.c d})",
        ),
        (
            f'{{"a: {{": {objects(C, "x")}, "b": {objects(C, "x")}}}',
            CONFIG,
            'bars.json: the bars may be at several places (set table: {records: "a: {"} or'
            " {records: b}, or columns: {symbol: {from: key}} if these keys are symbols)",
        ),
        (
            f'{{"close": [1, 2], "b": {objects(C)}}}',
            CONFIG,
            "bars.json: the document and its part 'b' may each be the bars"
            " (set table: {records: b} for that part)",
        ),
        (
            f'{{"a": {objects(C)}, "b": [{{"t": 1}}, {{"t": 2, "close": 3}}]}}',
            CONFIG,
            "bars.json: 'a' and 'b' may each be the bars (set table: {records: a} or {records: b},"
            " or columns: {symbol: {from: key}} if these keys are symbols)",
        ),
        (
            '{"t": 1704067200, "Close": 7, "legs": [{"close": 1}]}',
            CONFIG,
            "bars.json: the document has a close of its own, and bars at 'legs'"
            " (set table: {records: legs} for those, or use --format ndjson if it is one bar)",
        ),
        (
            f'{{"symbol": "A", "ticker": "B", "bars": {objects(C)}}}',
            CONFIG,
            "bars.json row 1: 'symbol' and 'ticker' may each be the symbol; say which (set columns:"
            " {symbol: symbol} or the like, or {symbol: none} if all bars are one series)",
        ),
        (
            f'{{"a": {objects(C)}}}',
            at(CONFIG, "b"),
            "bars.json: no bars at 'b', where table.records says that they are"
            " (set table: {records: null} to have them found)",
        ),
        (
            objects(C, "price"),
            CONFIG,
            "bars.json row 1: no 'close' column in the header: 't', 'price'"
            " (name yours in the config under columns; if these are the closes, set columns:"
            " {close: price})",
        ),
        (
            f'{{"a": {objects(C, "price")}}}',
            CONFIG,
            "bars.json at 'a': no 'close' column in the header: 't', 'price'"
            " (name yours in the config under columns; if these are the closes, set columns:"
            " {close: price})",
        ),
        (
            '{"name": "x", "tags": ["a"]}',
            CONFIG,
            "bars.json: a JSON document without bars: no array of objects or arrays, no arrays of"
            " columns and no times as keys"
            " (if it is one bar as an object, use --format ndjson)",
        ),
        (
            '{"t": [1704067200, 1704067201], "close": [1]}',
            CONFIG,
            "bars.json: the array 't' has 2 values, and 'close' 1",
        ),
        (
            '[{"close": 1}, [2]]',
            CONFIG,
            "bars.json row 2: an array, where the first bar is an object",
        ),
        (
            "[[1704067200, 1], [1704067201, 1, 2]]",
            PLACES,
            "bars.json row 2: 3 values, where the first bar has 2",
        ),
        (
            "[1, 2]",
            CONFIG,
            "bars.json line 1 column 3: an array of single values, where bars must be objects or"
            " arrays",
        ),
        (
            '{"2024-01-01": {"close": 1}, "2024-01-02": null}',
            CONFIG,
            "bars.json row 2: a single value at '2024-01-02', where the first is an object",
        ),
        (
            '{"2024-01-01": {"close": 1, "timestamp": 3}}',
            CONFIG,
            "bars.json row 1: the key 'timestamp' in an object below the time '2024-01-01'",
        ),
    ],
)
def test_what_is_in_doubt_is_refused_with_what_to_do(
    text: str, config: JobConfig, message: str
) -> None:
    assert refusal(text, config) == message


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('[{"close": 1},\n {"close": 1, "close": 2}]', "line 2 column 2: the key 'close' appears"),
        ('{"a": 1,\r\n"a": [{"close": 1}]}', "line 2 column 1: the key 'a' appears twice"),
        ('{"2024-01-01": {"close": 1}, "2024-01-01": {"close": 2}}', "line 1 column 30: the key"),
        ('[{"close": 1}]\n {"close": 2}', "line 2 column 2: the document is followed by '{\"clo"),
        ('[{"close": 1}] x', "line 1 column 16: the document is followed by 'x'"),
        ('[{"close": 1}, ]', "line 1 column 16: ']', not JSON"),
        ('[{"close": 1} {"close": 2}]', "line 1 column 15: '{\"close\": 2}]' instead of a comma"),
        ('[{"close": 01}]', "line 1 column 2: a value that is not JSON from its character 12 on"),
        ('{"a" [{"close": 1}]}', "line 1 column 6: '[{\"close\": 1}]}' instead of a colon"),
        ("{'a': 1}", "line 1 column 2: \"'a': 1}\" instead of a key in quotes"),
        ('[{"close": 1, "x": "\0"}]', "line 1 column 21: the text contains a NUL byte"),
        ("[" * 100_000, "line 1 column 2: nested too deeply"),
        ('{"a":' * 100_000, "line 1 column "),
    ],
)
def test_what_is_not_json_is_refused_with_its_line_and_column(text: str, message: str) -> None:
    with pytest.raises(DataError) as caught:
        read(text, wanted="json")
    assert caught.value.message.rpartition("/")[2].startswith(f"bars.json {message}")


def test_bytes_that_are_not_utf_8_are_refused_with_their_place() -> None:
    data = b'[{"close": 1},\n {"close": 2, "note": "\xff"}]'
    assert refusal(data).startswith("bars.json line 2 column 24: the text is not UTF-8")


def test_words_for_numbers_that_json_lacks_are_missing_closes() -> None:
    for word in ("NaN", "Infinity", "null", '""', '"n/a"'):
        text = f'[{{"close": 1}}, {{"close": {word}}}, {{"close": 2}}]'
        message = refusal(text)
        assert message.startswith("bars.json row 2: close is '")
        assert message.endswith(
            "not a number (set missing: skip to leave such rows out, or gap for no signal near"
            " them)"
        )
        skipped = read(text, CONFIG._replace(missing="skip"))
        assert skipped.closes == [1, None, 2]


@pytest.mark.parametrize(
    ("value", "cell"), [("true", "true"), ("[1]", "[…]"), ('{"v": 1}', "{…}"), ('"1,5"', "1,5")]
)
def test_a_close_that_is_no_number_is_refused_with_its_row(value: str, cell: str) -> None:
    for text in (
        f'[{{"close": 1}}, {{"close": {value}}}]',
        f'{{"2024-01-01": {{"close": 1}}, "2024-01-02": {{"close": {value}}}}}',
    ):
        message = refusal(text, CONFIG._replace(missing="skip"))
        assert message.startswith(f"bars.json row 2: close is '{cell}', not a number")
    message = refusal(f"[[1704067200, 1], [1704067201, {value}]]", PLACES)
    assert message.startswith(f"bars.json row 2: column 2 is '{cell}', not a number")


def test_a_close_under_another_name_than_in_the_first_bar_is_refused() -> None:
    text = '[{"close": 1}, {"Close": 2}]'
    assert refusal(text, CONFIG._replace(missing="skip")) == (
        "bars.json row 2: the key 'Close', where the first object has 'close'"
    )


@pytest.mark.parametrize("text", ["[]", " [ ]\n", '{"results": []}', '{"a": 1, "b": {"c": []}}'])
def test_a_document_with_an_empty_array_is_a_table_without_bars(text: str) -> None:
    assert refusal(text) == "bars.json: no rows"


def test_a_document_without_bars_changes_nothing_among_others(tmp_path: Path) -> None:
    paths = [str(tmp_path / name) for name in ("bars.json", "none.json")]
    Path(paths[0]).write_text(objects(C))
    Path(paths[1]).write_text('{"t": [], "close": []}')
    for order in (paths, paths[::-1]):
        result = decide(order, CONFIG)
        assert result.tally == decide(paths[:1], CONFIG).tally
        assert result.files[paths[1]].description == "utf-8, json, no objects"


def test_the_symbol_beside_the_bars_is_theirs() -> None:
    rows = objects(C, "c")
    for text in (
        f'{{"ticker": " A ", "results": {rows}}}',
        f'{{"ticker": "B", "data": {{"symbol": "A", "code": 0, "results": {rows}}}}}',
        f'{{"bars": {rows}, "symbol": "A"}}',
    ):
        assert symbols(text, SHORT) == ["A"] * 5
        none = CONFIG._replace(columns=Columns(close="c", symbol=NO_SYMBOLS))
        assert symbols(text, none) == []
    named = CONFIG._replace(columns=Columns(close="c", symbol=SymbolFrom("ticker")))
    assert symbols(f'{{"ticker": "A", "results": {rows}}}', named) == ["A"] * 5
    inside = objects(C).replace('"close"', '"symbol": "B", "close"')
    assert symbols(f'{{"symbol": "A", "results": {inside}}}') == ["B"] * 5
    elsewhere = f'{{"meta": {{"symbol": "A"}}, "status": {{"symbol": "C"}}, "results": {rows}}}'
    assert symbols(elsewhere, SHORT) == []


def test_a_symbol_that_a_long_document_tells_only_at_its_end_is_refused() -> None:
    text = f'{{"bars": {objects(["1"] * (2 * ROWS_AT_ONCE + 1))}, "symbol": "A"}}'
    assert refusal(text) == (
        "bars.json: 'symbol' is 'A', which stands behind the bars (set columns: {symbol: none} if"
        " all bars are one series, or {symbol: {from: filename}} for files of a symbol each)"
    )


def test_files_of_several_symbols_are_a_panel(tmp_path: Path) -> None:
    paths = []
    for symbol in "AB":
        path = tmp_path / f"{symbol}.json"
        path.write_text(f'{{"symbol": "{symbol}", "bars": {objects(C)}}}')
        paths.append(str(path))
    assert set(decide(paths, CONFIG).accounts) == {"A", "B"}


def test_bars_before_a_bad_place_are_checked_first() -> None:
    assert refusal('[{"close": 1}, {"close": "x"}, {"close"').startswith(
        "bars.json row 2: close is"
    )


@pytest.mark.parametrize("form", [form for form in FORMS if form != "columns"])
def test_a_long_document_is_read_in_bounded_memory(form: str) -> None:
    write, config = FORMS[form]
    cells = [f"{row % 100}.5" for row in range(3 * ROWS_AT_ONCE + 7)]
    assert read(write(cells), config, sizes=(4096, 5000)) == by_definition(cells)
    text = JsonText(_endless(), "endless")
    assert text.skip_sign("[")
    longest = 0
    for number, _ in enumerate(text.elements()):
        longest = max(longest, len(text._text))
        if number > 100_000:
            break
    assert longest < 3000


def _endless() -> Iterator[bytearray]:
    yield bytearray(b"[")
    while True:
        yield bytearray(b'{"close": 1.5}, ' * 50)


def test_a_single_value_that_never_ends_is_refused() -> None:
    text = '[{"close": 1, "note": "' + "x" * (MAX_VALUE_CHARS + (1 << 22)) + '"}]'
    assert refusal(text).startswith("bars.json line 1 column 2: a single value of more than")


def test_arrays_of_columns_that_do_not_fit_into_memory_are_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(json_bars, "MAX_HELD_VALUES", 9)
    message = refusal(columns(C))
    assert "more than 9 values in arrays of columns" in message
    assert message.endswith("(write one object for each bar)")


@pytest.mark.parametrize(
    ("text", "name", "expected"),
    [
        ('{"close": 1}', "a.json", "ndjson"),
        ('{"close": 1}\n', "a", "ndjson"),
        ('{"close": 1}\n{"close": 2}', "a.json", "ndjson"),
        ('{"close": 1, "tags": []}\n', "a", "ndjson"),
        ('{"close": 1, "tags": [1]}\n{"close": 2}', "a", "ndjson"),
        ('{"close": 1, "tags": ["a"], "meta": {"n": 1}}\n', "a", "ndjson"),
        ('{"close": "1", "tags": [1]}\n', "a", "ndjson"),
        ('{"t": ["1"], "close": ["2"], "code": "0"}\n', "a", "json"),
        ('{"t": [1, 2], "close": [1, 2]}\n', "a.ndjson", "ndjson"),
        ('{"close":\n{"close": 2}\n', "a", "ndjson"),
        ('{"bars": [{"close": 1}]}', "a", "json"),
        ('\n{"bars": [\n{"close": 1}\n]}', "a", "json"),
        ('{\n"bars": []}', "a", "json"),
        ("\n" * 9000 + '{\n"bars": []}', "a", "json"),
        (" " * 9000 + "[[1, 2],\n[1, 2]]", "a", "json"),
        ('{\n"bars": []}', "a.jsonl.gz", "ndjson"),
        ('{"bars": [' + '{"close": 1}, ' * 2000, "a", "json"),
        ('{"note": "' + "x" * 9000 + '"}\n{"close": 1}', "a", "ndjson"),
        ('{"a": {"bars": [{"close": 1},\n{"close": 2}]}}', "a", "json"),
        ('{"note": "[", "close":\n{"close": 2}', "a", "ndjson"),
        ("[]", "a.csv", "json"),
        ('[{"close": 1}]\n', "a.ndjson", "json"),
        ("[1, 2]\n[1, 2]\n", "a", "json"),
    ],
)
def test_documents_are_told_from_objects_a_line(
    tmp_path: Path, text: str, name: str, expected: str
) -> None:
    (tmp_path / name).write_text(text)
    with closing(OpenedFile(input_of(str(tmp_path / name)))) as file:
        assert file.format == expected


def test_a_document_is_read_from_a_pipe() -> None:
    reading, writing = os.pipe()
    with os.fdopen(writing, "wb") as file:
        file.write(objects(C).encode())
    try:
        with closing(OpenedFile(input_of(f"/dev/fd/{reading}"))) as opened:
            bars = tables.bars_of(reader_of(opened, NAMED, 0))
    finally:
        os.close(reading)
    assert bars == by_definition(C)


def test_a_document_is_described_by_where_its_bars_are(tmp_path: Path) -> None:
    (tmp_path / "bars").write_bytes(gzip.compress(f'{{"a": {{"b": {arrays(C)}}}}}'.encode()))
    for config, stamp in (
        (PLACES, "column 1"),
        (PLACES._replace(checks=Checks("off", "off")), "none"),
    ):
        with closing(OpenedFile(input_of(str(tmp_path / "bars")))) as file:
            description = reader_of(file, config, 0).describe()
        assert description == (
            f"gzip, utf-8, json, bars at a.b, close from column 2, timestamp from {stamp}"
        )
