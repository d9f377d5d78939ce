"""Facts about the settings of text tables, and what is said of wrong ones."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from rollsignal.config.reading import config_of
from rollsignal.config.rules import DateAndTime, SymbolFrom
from rollsignal.config.settings import AS_FOUND, Columns, JobConfig, Table
from tests.support.configs import read, refused

CONFIG = 'seed: 42\nwindow: 5\nversion: "v1"\n'


def test_a_whole_number_under_columns_is_a_place_and_in_quotes_a_name(tmp_path: Path) -> None:
    config = read(tmp_path, CONFIG + "columns: {close: 5, timestamp: [1, 2], symbol: 3}\n")
    assert config.columns == Columns(5, DateAndTime(1, 2), SymbolFrom(3))
    config = read(tmp_path, CONFIG + "columns: {close: '5', timestamp: ['1', b], symbol: '3'}\n")
    assert config.columns == Columns("5", DateAndTime("1", "b"), SymbolFrom("3"))


def test_without_the_section_tables_are_read_as_they_are_found(tmp_path: Path) -> None:
    assert read(tmp_path, CONFIG).table == AS_FOUND == Table()


EVERY = (
    "table: {header: none, first_row: 4, footer: skip, comment: '#', delimiter: tab, decimal: ',',"
    " thousands: ' ', strip: '$ ', encoding: UTF8, missing_values: [-9999, closed, null]}\n"
)


def test_every_setting_of_a_table_is_read_and_kept_in_a_record(tmp_path: Path) -> None:
    config = read(tmp_path, CONFIG + "columns: {close: 5, timestamp: none}\n" + EVERY)
    assert config.table == Table(
        *("none", 4, "skip", "#", "tab", ",", " ", "$", "utf-8", ("-9999", "closed", "null"))
    )
    assert config_of(config.plain_by_name()) == config


def test_settings_of_before_had_no_table(tmp_path: Path) -> None:
    config = JobConfig(42, 5, "v1")
    kept = json.loads(json.dumps(config.plain_by_name()))
    former = {name: value for name, value in kept.items() if "table" not in name}
    assert config_of(former) == config


@pytest.mark.parametrize(
    ("setting", "what"),
    [
        ("header: 0", "table.header is '0', not between 1 and 100,000"),
        ("header: None", "table.header is None, neither auto nor none nor the number of a line"),
        ("header: '1'", "table.header is '1', neither auto nor none nor the number of a line"),
        ("first_row: auto", "table.first_row is auto, neither null nor the number of a line"),
        ("first_row: 1.5", "table.first_row is 1.5, neither null nor the number of a line"),
        ("footer: drop", "table.footer is 'drop', not one of error, skip"),
        ("comment: a", "table.comment is 'a', with which a bar may begin as well"),
        ("comment: '-'", "table.comment is '-', with which a bar may begin as well"),
        ("delimiter: ab", "table.delimiter is 'ab', neither a sign that can part fields nor auto"),
        ("delimiter: '.'", "table.delimiter is '.', neither a sign that can part fields nor"),
        ("delimiter: '\"'", "table.delimiter is '\"', neither a sign that can part fields nor"),
        ("delimiter: é", "table.delimiter is 'é', neither a sign that can part fields nor"),
        ("decimal: ';'", "table.decimal is ';', not one of \".\", \",\""),
        ("decimal: null", "table.decimal is 'null', not one of"),
        ("thousands: ';'", "table.thousands is ';', not one of \",\", \".\", \" \", \"'\", \"_\""),
        ("thousands: '.'", "table.thousands and table.decimal are both '.'"),
        ("strip: '5'", "table.strip is '5', which is a part of a number (strip a sign such as"),
        ("strip: M", "table.strip is 'M', which is a part of a number (strip a sign such as"),
        ("encoding: rot13", "table.encoding is 'rot13', no encoding that is known (write a name"),
        ("encoding: idna", "table.encoding is 'idna', no encoding that is known (write a name"),
        ("encoding: \"a\\0\"", "table.encoding is 'a\\x00', no encoding that is known"),
        ("missing_values: -9", "table.missing_values is -9, not a list (write table.missing_val"),
        ("missing_values: [[1]]", "table.missing_values is a list, not a single value"),
        ("headers: 1", "unknown setting headers (did you mean header?)"),
    ],
)  # fmt: skip
def test_a_wrong_setting_of_a_table_is_refused(tmp_path: Path, setting: str, what: str) -> None:
    message = refused(tmp_path, CONFIG + f"table: {{{setting}}}\n").message
    assert f"line 4: {what}" in message


@pytest.mark.parametrize("columns", ["timestamp: 1", "close: 2, timestamp: t", "close: c"])
def test_columns_of_a_table_without_a_header_have_places(tmp_path: Path, columns: str) -> None:
    text = CONFIG + f"columns: {{{columns}}}\ntable:\n  delimiter: tab\n  header: none\n"
    message = refused(tmp_path, text).message
    assert "line 7: there is no header by table.header, so columns." in message
    assert message.endswith("(write the place of the column, counted from 1)")
