"""Keys of a JSON document may be the symbols of the bars below them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from rollsignal.config.json_paths import PathError, key_path, path_of
from rollsignal.config.rules import SymbolFrom
from rollsignal.config.settings import Columns, JobConfig, Table
from rollsignal.core.findings import Found
from rollsignal.engines import ENGINES
from rollsignal.engines.interface import Engine
from rollsignal.errors import DataError
from rollsignal.readers import json_bars
from tests.support import oracle
from tests.support.cut_engine import CutEngine
from tests.support.deciding import decide

Series = dict[str, list[str]]

MAKERS: dict[str, Callable[[], Engine]] = {
    "local": ENGINES["local"],
    "plain": ENGINES["plain"],
    "cut": CutEngine,
}
KEYS = SymbolFrom(key=True)
NAMED = JobConfig(1, 3, "t", columns=Columns("c", symbol=KEYS), table=Table(records="bars"))
PLACED = NAMED._replace(columns=Columns(2, 1, KEYS))
BARS: Series = {
    "AAPL": ["187.3", "186.80", "186.99", "190"],
    "BRK.B": ["361.50", "362", "364.1"],
    "600519": ["7", "6", "5", "4"],
    'a"\\b': ["1", "2", "3"],
}


def stamp(row: int) -> str:
    return f"2024-01-02T14:{30 + row}:00Z"


def objects(series: Series) -> str:
    return written(series, lambda row, close: f'{{"t": "{stamp(row)}", "c": {close}}}')


def arrays(series: Series) -> str:
    return written(series, lambda row, close: f'["{stamp(row)}", {close}]')


def written(series: Series, bar: Callable[[int, str], str]) -> str:
    members = (
        f"{json.dumps(name)}: [{', '.join(bar(row, close) for row, close in enumerate(closes))}]"
        for name, closes in series.items()
    )
    return "{" + ", ".join(members) + "}"


def columns(series: Series) -> str:
    members = (
        f'{json.dumps(name)}: {{"t": {json.dumps(list(map(stamp, range(len(closes)))))},'
        f' "c": [{", ".join(closes)}]}}'
        for name, closes in series.items()
    )
    return "{" + ", ".join(members) + "}"


def times(series: Series) -> str:
    members = (
        f"{json.dumps(name)}: {{"
        + ", ".join(f'"{stamp(row)}": {{"c": {close}}}' for row, close in enumerate(closes))
        + "}"
        for name, closes in series.items()
    )
    return "{" + ", ".join(members) + "}"


FORMS = {"objects": objects, "arrays": arrays, "columns": columns, "times": times}


def write(folder: Path, text: str, name: str = "bars.json") -> Path:
    path = folder / name
    path.write_text(text)
    return path


def facts(found: Found) -> dict[str, tuple[int, int]]:
    return {name: (each.tally.rows, each.tally.ones) for name, each in found.accounts.items()}


def expected(series: Series) -> dict[str, tuple[int, int]]:
    return {
        name: (len(closes), sum(s or 0 for s in oracle.signals(oracle.prices(closes), 3)))
        for name, closes in series.items()
    }


def refusal(path: Path, config: JobConfig = NAMED) -> str:
    with pytest.raises(DataError) as caught:
        decide([path], config)
    return str(caught.value).replace(f"{path.parent}/", "")


def config_for(form: str) -> JobConfig:
    return PLACED if form == "arrays" else NAMED


@pytest.mark.parametrize("engine", MAKERS)
@pytest.mark.parametrize("form", FORMS)
def test_each_key_is_the_symbol_of_the_bars_below_it(
    tmp_path: Path, form: str, engine: str
) -> None:
    text = f'{{"next_page_token": null, "bars": {FORMS[form](BARS)}, "x": {{"y": [1]}}}}'
    found = decide([write(tmp_path, text)], config_for(form), engine=MAKERS[engine])
    assert facts(found) == expected(BARS)


@pytest.mark.parametrize("form", FORMS)
def test_the_place_of_the_keys_is_found_if_there_is_only_one(tmp_path: Path, form: str) -> None:
    found_out = config_for(form)._replace(table=Table())
    few = {name: BARS[name] for name in ("AAPL", "BRK.B")}
    for text in (FORMS[form](few), f'{{"data": {{"items": {FORMS[form](few)}}}}}'):
        assert facts(decide([write(tmp_path, text)], found_out)) == expected(few)


def test_many_bars_come_in_pieces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_bars, "ROWS_AT_ONCE", 2)
    path = write(tmp_path, f'{{"bars": {objects(BARS)}}}')
    assert facts(decide([path], NAMED)) == expected(BARS)


@pytest.mark.parametrize("form", FORMS)
def test_a_symbol_without_bars_is_no_series(tmp_path: Path, form: str) -> None:
    text = f'{{"bars": {FORMS[form]({"AAPL": BARS["AAPL"], "NONE": []})}}}'
    found = decide([write(tmp_path, text)], config_for(form))
    assert facts(found) == expected({"AAPL": BARS["AAPL"]})


@pytest.mark.parametrize("text", ['{"bars": {}}', '{"bars": {"A": []}}', '{"bars": {"A": null}}'])
def test_an_answer_without_bars_is_a_table_without_rows(tmp_path: Path, text: str) -> None:
    full = write(tmp_path, f'{{"bars": {objects(BARS)}}}', "full.json")
    found = decide([full, write(tmp_path, text)], NAMED)
    assert facts(found) == expected(BARS)


def test_one_symbol_may_be_chosen_by_a_quoted_key(tmp_path: Path) -> None:
    path = write(tmp_path, f'{{"bars": {objects(BARS)}}}')
    one = NAMED._replace(table=Table(records='bars."BRK.B"'), columns=Columns("c"))
    assert facts(decide([path], one)) == {"": expected(BARS)["BRK.B"]}
    message = refusal(path, one._replace(table=Table()))
    assert (
        '(set table: {records: bars.AAPL} or {records: "bars.\\"BRK.B\\""}, or columns: {symbol:'
        in message
    )


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ('{"bars": {"A": 5}}', "a single value at the key 'A', where the bars of a symbol must be"),
        ('{"bars": {"": [{"t": "2024-01-02", "c": 1}]}}', "row 1: the symbol is empty"),
        ('{"bars": [{"t": "2024-01-02", "c": 1}]}', "no bars at 'bars', where table.records says"),
        ('{"bars": {"A": [{"t": "2024-01-02", "c": 1}], "B": [["2024-01-02", 2]]}}',
         "arrays, where the bars of other symbols are not"),
        ('{"bars": {"A": [{"t": "2024-01-02", "c": 1}], "B": [{"t": "2024-01-02", "C": 2}]}}',
         "row 2: the key 'C', where the first object has 'c'"),
        ('{"bars": {"A": [{"t": "2024-01-02", "c": 1}], "B": [{"t": "2024-01-02"}]}}',
         "row 2: c is '', not a number"),
        ('{"bars": {"A": [{"t": "2024-01-02", "c": 1}], "A": [{"t": "2024-01-03", "c": 1}]}}',
         "the key 'A' appears twice in one object"),
    ],
)  # fmt: skip
def test_what_is_no_bar_below_a_key_is_refused(tmp_path: Path, text: str, what: str) -> None:
    assert what in refusal(write(tmp_path, text), NAMED._replace(window=1))


def test_arrays_of_another_length_are_refused(tmp_path: Path) -> None:
    text = '{"bars": {"A": [["2024-01-02", 1, 5]], "B": [["2024-01-02", 2]]}}'
    message = refusal(write(tmp_path, text), PLACED._replace(window=1))
    assert "arrays of 2 values, where other symbols have 3" in message


def test_two_places_with_keys_are_refused(tmp_path: Path) -> None:
    text = f'{{"a": {objects(BARS)}, "b": {objects(BARS)}}}'
    message = refusal(write(tmp_path, text), NAMED._replace(table=Table()))
    assert "'a' and 'b' may each be the bars (set table: {records: a} or {records: b})" in message


@pytest.mark.parametrize("name", ["bars.csv", "bars.ndjson"])
def test_only_a_document_has_keys_of_symbols(tmp_path: Path, name: str) -> None:
    text = '{"t": "2024-01-02", "c": 1}\n' * 2 if name.endswith("json") else "t,c\n2024-01-02,1\n"
    assert "columns.symbol is {from: key}, but this is no JSON document" in refusal(
        write(tmp_path, text, name)
    )


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("bars", ("bars",)), ("data.items", ("data", "items")), ('"a.b"', ("a.b",)),
        ('bars."BRK.B".x y', ("bars", "BRK.B", "x y")), ('"q.\\"\\\\"', ('q."\\',)),
        ('a."".b', ("a", "", "b")), ('a"b', ('a"b',)), ('"a."', ("a.",)),
    ],
)  # fmt: skip
def test_a_path_is_read_as_it_is_written(text: str, path: tuple[str, ...]) -> None:
    assert (path_of(text), key_path(path)) == (path, text)


def test_points_without_quotes_may_be_within_keys(tmp_path: Path) -> None:
    path = write(tmp_path, f'{{"a.b": {{"c.d": {objects(BARS)}}}}}')
    for records in ("a.b.c.d", '"a.b"."c.d"'):
        found = decide([path], NAMED._replace(table=Table(records=records)))
        assert facts(found) == expected(BARS)
    assert "no bars at" in refusal(path, NAMED._replace(table=Table(records='a.b."c.d"')))


@pytest.mark.parametrize("text", ['"a', '"a"b', 'a."b', '"', '"a\\x"'])
def test_a_quote_that_is_not_around_a_whole_key_is_no_path(text: str) -> None:
    with pytest.raises(PathError):
        path_of(text)
