"""Facts about single settings: their allowed values, and the messages for all others."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollsignal.config.reading import config_of
from rollsignal.config.rules import DateAndTime, DayInPath, InHeader, SymbolFrom
from rollsignal.config.settings import Columns
from rollsignal.core.timestamps.counts import EPOCHS
from tests.support.configs import ON_ONE_FILE, read, refused, with_setting
from tests.support.shell import CONFIG


def test_a_timestamp_column_of_null_is_the_default(tmp_path: Path) -> None:
    config = read(tmp_path, CONFIG + "columns: {timestamp: null}\n")
    assert config == read(tmp_path, CONFIG)
    assert config.columns.timestamp is None


def test_a_date_and_a_time_may_be_named_in_place_of_a_timestamp(tmp_path: Path) -> None:
    config = read(tmp_path, CONFIG + "columns: {timestamp: [Date, '5']}\n")
    assert config.columns.timestamp == DateAndTime("Date", "5")
    assert str(config.columns.timestamp) == "[Date, 5]"


@pytest.mark.parametrize(
    ("value", "what"),
    [
        ("[Date]", "is a list of 1 name, not of two: [date, time]"),
        ("[]", "is a list of 0 names, not of two: [date, time]"),
        ("[a, b, c]", "is a list of 3 names, not of two: [date, time]"),
        ("[Date, null]", "is empty; write a name, in quotes"),
        ("[Date, 5.0]", 'is 5.0, which YAML reads as type float; write columns.timestamp: "5.0"'),
        (
            "[Date, 0]",
            "is 0, not a place, which is counted from 1"
            ' (for a column of this name write columns.timestamp: "0")',
        ),
        ("[Date, [Time]]", "is a list, not a single value"),
        ("{date: Date}", "is a mapping, not a single value"),
    ],
)
def test_a_wrong_list_of_timestamp_columns_is_refused(
    tmp_path: Path, value: str, what: str
) -> None:
    message = refused(tmp_path, CONFIG + f"columns: {{timestamp: {value}}}\n").message
    assert message.endswith(f"line 4: columns.timestamp {what}")


def test_a_whole_number_is_the_place_of_a_column(tmp_path: Path) -> None:
    text = "columns: {close: 5, timestamp: [1, Time], symbol: 3}\n"
    config = read(tmp_path, CONFIG + text)
    assert config.columns == Columns(5, DateAndTime(1, "Time"), SymbolFrom(3))
    assert config_of(config.plain_by_name()).columns == config.columns
    alone = read(tmp_path, CONFIG + 'columns: {close: "5", timestamp: 7}\n')
    assert alone.columns == Columns("5", 7)


@pytest.mark.parametrize(
    ("value", "source"),
    [
        ("{from: filename}", SymbolFrom(filename=True)),
        ("{from: folder}", SymbolFrom(folder=True)),
        ("{from: key}", SymbolFrom(key=True)),
        ('{from: path, pattern: "([A-Z]+)-1m"}', SymbolFrom(pattern="([A-Z]+)-1m")),
        ("{pattern: '(?:x)(?P<s>.)', from: path}", SymbolFrom(pattern="(?:x)(?P<s>.)")),
    ],
)
def test_symbols_come_from_names_folders_or_paths(
    tmp_path: Path, value: str, source: SymbolFrom
) -> None:
    config = read(tmp_path, CONFIG + f"columns: {{close: c, symbol: {value}}}\n")
    assert config.columns.symbol == source
    assert config_of(config.plain_by_name()) == config


@pytest.mark.parametrize(
    ("value", "header"),
    [
        ("{from: header}", InHeader()),
        ("{from: header, only: [AAPL, 3]}", InHeader(("AAPL", 3))),
        ("{except: [Volume], from: header}", InHeader((), ("Volume",))),
    ],
)
def test_symbols_may_be_in_the_header(tmp_path: Path, value: str, header: InHeader) -> None:
    config = read(tmp_path, CONFIG + f"columns: {{close: close, symbol: {value}}}\n")
    assert config.columns.symbol == SymbolFrom(header=header)
    assert config.columns.is_wide
    assert config_of(config.plain_by_name()) == config


@pytest.mark.parametrize(
    "value",
    [
        "{from: header, only: []}", "{from: header, only: A}", "{from: header, names: [A]}",
        "{from: header, only: [A], except: [B]}", "{from: header, from: header}",
        "{from: header, only: [A], only: [A]}",
    ],
)  # fmt: skip
def test_a_wrong_choice_of_columns_in_the_header_is_refused(tmp_path: Path, value: str) -> None:
    message = refused(tmp_path, CONFIG + f"columns: {{symbol: {value}}}\n").message
    assert "line 4: columns.symbol is a mapping, but not {from: header}, with only:" in message


def test_a_column_of_closes_contradicts_symbols_in_the_header(tmp_path: Path) -> None:
    line = "columns: {symbol: {from: header}, close: Close}\n"
    assert "columns.close is Close, but columns.symbol says that each symbol has a column" in (
        refused(tmp_path, CONFIG + line).message
    )
    assert read(tmp_path, CONFIG + line.replace("Close", "close")).columns.is_wide


@pytest.mark.parametrize(
    ("value", "source"),
    [
        ("[exchange, symbol]", SymbolFrom("exchange", rest=("symbol",))),
        ("[1, Coin, 3]", SymbolFrom(1, rest=("Coin", 3))),
    ],
)
def test_symbols_may_be_made_of_several_columns(
    tmp_path: Path, value: str, source: SymbolFrom
) -> None:
    config = read(tmp_path, CONFIG + f"columns: {{close: c, symbol: {value}}}\n")
    assert (config.columns.symbol, str(source)) == (source, value)
    assert config_of(config.plain_by_name()) == config
    has_places = value.startswith("[1")
    assert ("symbol" in config.columns.places) == has_places


@pytest.mark.parametrize(
    ("value", "what"),
    [
        ("[]", " is a list of 0 columns, not of two or more"),
        ("[a]", " is a list of 1 column, not of two or more"),
        ("[a, b, a]", " has a twice; keep one"),
        ("[a, 0]", ' is 0, not a place, which is counted from 1 (for a column of this name write'
         ' columns.symbol: "0")'),
        ("[a, null]", " is empty; write a name, in quotes"),
        ("[a, [b]]", " is a list, not a single value"),
    ],
)  # fmt: skip
def test_a_wrong_list_of_columns_of_symbols_is_refused(
    tmp_path: Path, value: str, what: str
) -> None:
    message = refused(tmp_path, CONFIG + f"columns: {{symbol: {value}}}\n").message
    assert message.endswith(f"line 4: columns.symbol{what}")


def test_the_day_of_times_may_be_in_the_path(tmp_path: Path) -> None:
    value = '[{from: path, pattern: "([0-9]{8})_"}, 1]'
    config = read(tmp_path, CONFIG + f"columns: {{close: close, timestamp: {value}}}\n")
    assert config.columns.timestamp == DateAndTime(DayInPath("([0-9]{8})_"), 1)
    assert config.columns.day == DayInPath("([0-9]{8})_")
    assert config_of(config.plain_by_name()) == config


@pytest.mark.parametrize(
    ("value", "what"),
    [
        ("[{from: folder}, 1]", "has a mapping that is not {from: path, pattern:"),
        ("[{from: path}, 1]", "has a mapping that is not {from: path, pattern:"),
        ("[{from: path, pattern: x}, 1]", ".pattern is 'x', with 0 groups, not one: the symbol in"),
        ("[{from: path, pattern: (x)}]", "is a list of 1 name, not of two: [date, time]"),
        ("[1, {from: path, pattern: (x)}]", "is a mapping, not a single value"),
    ],
)
def test_a_wrong_day_in_the_path_is_refused(tmp_path: Path, value: str, what: str) -> None:
    message = refused(tmp_path, CONFIG + f"columns: {{timestamp: {value}}}\n").message
    assert f"columns.timestamp{'' if what[0] == '.' else ' '}{what}" in message


OTHERWISE = (
    "is a mapping, but not {from: filename}, {from: folder}, {from: header}, {from: key} or"
    ' {from: path, pattern: "([A-Z0-9]+)-1m-"}'
)


@pytest.mark.parametrize(
    ("value", "what"),
    [
        ("{}", f" {OTHERWISE}"),
        ("{from: host}", f" {OTHERWISE}"),
        ("{from: path, patern: (x)}", f" {OTHERWISE}"),
        ("{pattern: (x)}", f" {OTHERWISE}"),
        ("{from: [path]}", f" {OTHERWISE}"),
        ("{from: folder, pattern: (x)}", " has a pattern, which only paths have (from: path)"),
        ("{from: path}", ' is from: path without a pattern (pattern: "([A-Z0-9]+)-1m-")'),
        ('{from: path, pattern: ""}', ".pattern is empty; write a name, in quotes"),
        ("{from: path, pattern: 5}", ".pattern is 5, which YAML reads as type int; write "
         'columns.symbol.pattern: "5"'),
        ('{from: path, pattern: "(a"}', ".pattern is '(a', not a regular expression: missing ),"
         " unterminated subpattern at position 0"),
        *((f"{{from: path, pattern: {pattern!r}}}", f".pattern is {pattern!r}, with {count},"
           ' not one: the symbol in parentheses (pattern: "([A-Z0-9]+)-1m-")')
          for pattern, count in (("BTC", "0 groups"), ("(a)(b)", "2 groups"))),
    ],
)  # fmt: skip
def test_a_wrong_source_of_symbols_is_refused(tmp_path: Path, value: str, what: str) -> None:
    message = refused(tmp_path, CONFIG + f"columns: {{symbol: {value}}}\n").message
    assert message.endswith(f"line 4: columns.symbol{what}")


@pytest.mark.parametrize("word", ["iso", *EPOCHS])
def test_each_word_for_how_timestamps_are_written_is_taken(tmp_path: Path, word: str) -> None:
    assert read(tmp_path, with_setting("timestamp_format", word)).timestamp_format == word


@pytest.mark.parametrize("name", ["America/New_York", "UTC", '"-05:00"', '"+10:00"', "null"])
def test_the_zone_of_times_without_one_is_a_place_or_an_offset(tmp_path: Path, name: str) -> None:
    text = CONFIG + "columns: {close: c}\n"
    config = read(tmp_path, f"{text}timezone: {name}\n")
    assert config.timezone == (None if name == "null" else name.strip('"'))
    assert config_of(config.plain_by_name()) == config
    zone = config.local_zone
    assert (zone is None) == (name == "null")
    for setting in ("sort: true", "checks: {order: warn}", "checks: {order: off}"):
        zone = read(tmp_path, f"{text}timezone: {name}\n{setting}\n").local_zone
        assert zone is None or not zone.in_order


@pytest.mark.parametrize(
    ("value", "what"),
    [
        ("EST", "is 'EST', not a time zone known here: write a place such as America/New_York, "),
        ("Europe/Berln", "is 'Europe/Berln', not a time zone known here: write a place such as "
         "America/New_York, or an offset such as -05:00; did you mean Europe/Berlin?"),
        ("+10:00", 'is +10:00, which YAML reads as type int; write timezone: "+10:00"'),
        ("[UTC]", "is a list, not a single value"),
        ('""', "is empty; write a name, in quotes"),
    ],
)  # fmt: skip
def test_a_zone_that_is_none_is_refused_with_its_line(
    tmp_path: Path, value: str, what: str
) -> None:
    problem = refused(tmp_path, CONFIG + f"timezone: {value}\n")
    assert f" line 4: timezone {what}" in problem.message


@pytest.mark.parametrize("pattern", ["%d/%m/%Y %H:%M", "%Y%m%d %H%M%S%f", "%b %d, %Y %I:%M %p"])
def test_a_pattern_of_timestamps_is_kept_as_written(tmp_path: Path, pattern: str) -> None:
    for quote in ("'", '"'):
        config = read(tmp_path, with_setting("timestamp_format", f"{quote}{pattern}{quote}"))
        assert config.timestamp_format == pattern
    assert read(tmp_path, with_setting("timestamp_format", "null")).timestamp_format is None


@pytest.mark.parametrize(
    ("value", "what"),
    [
        ('"%d/%m/%Q"', "is '%d/%m/%Q', which has the unknown directive %Q (known: %Y %y %m "),
        ('"%d/%m"', "is '%d/%m', which does not have the year (%Y)"),
        (
            "iso8601",
            "is 'iso8601', neither one of iso, epoch_s, epoch_ms, epoch_us, epoch_ns, excel,"
            " ms_of_day nor ",
        ),
        ("YYYY-MM-DD", "is 'YYYY-MM-DD', neither one of iso, epoch_s, "),
        ("[iso]", "is a list, not a single value"),
        ('""', "is empty; write a name, in quotes"),
        ("2024-01-31", "is 2024-01-31, which YAML reads as type timestamp"),
    ],
)
def test_a_wrong_pattern_is_refused_with_its_line(tmp_path: Path, value: str, what: str) -> None:
    problem = refused(tmp_path, with_setting("timestamp_format", value))
    assert f" line 4: timestamp_format {what}" in problem.message
    assert problem.version == "v1"


@pytest.mark.parametrize(
    ("setting", "words"),
    [("warmup", ("exclude", "zero")), ("missing", ("error", "skip", "gap"))],
)
def test_each_word_of_a_choice_is_taken(
    tmp_path: Path, setting: str, words: tuple[str, ...]
) -> None:
    for word in words:
        assert getattr(read(tmp_path, CONFIG + f"{setting}: {word}\n"), setting) == word


@pytest.mark.parametrize(
    ("key", "value", "number"),
    [
        ("seed", "0", 0),
        ("seed", "4294967295", 2**32 - 1),
        ("window", "1", 1),
        ("window", "1000000000", 10**9),
        ("window", "7 # a week", 7),
    ],
)
def test_whole_numbers_are_taken_to_their_bounds(
    tmp_path: Path, key: str, value: str, number: int
) -> None:
    assert getattr(read(tmp_path, with_setting(key, value)), key) == number


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("seed", "-1"),
        ("seed", "4294967296"),
        ("window", "0"),
        ("window", "-5"),
        ("window", "1000000001"),
        ("window", "9" * 30),
    ],
)
def test_whole_numbers_beyond_their_bounds_are_refused_with_the_bounds(
    tmp_path: Path, key: str, value: str
) -> None:
    bounds = {"seed": "0 and 4,294,967,295", "window": "1 and 1,000,000,000"}
    message = refused(tmp_path, with_setting(key, value)).message
    assert f"line 3: {key} is '{value}', not between {bounds[key]}" in message


def test_a_number_of_thousands_of_digits_is_refused_in_a_short_message(tmp_path: Path) -> None:
    message = refused(tmp_path, with_setting("window", "9" * 60_000)).message
    assert "line 3: window is " in message
    assert "(60,000 characters)" in message
    assert len(message) < len(str(tmp_path)) + 300


def test_a_version_of_thousands_of_digits_is_refused_in_a_short_message(tmp_path: Path) -> None:
    message = refused(tmp_path, with_setting("version", "9" * 60_000)).message
    assert "line 3: version is 999" in message
    assert len(message) < len(str(tmp_path)) + 300


NOT_PLAIN = [
    *("true", "false", "yes", "no", "on", "off", "null", "~", ".inf", ".nan"),
    *("5.0", "5e0", "1e3", "0x10", "0b11", "0o17", "010", "00", "1_0", "1:30"),
    *("five", "5,0", "1,000", "2024-01-01", "٥", "５", "5.", ".5", "--5"),
]


@pytest.mark.parametrize("key", ["seed", "window"])
@pytest.mark.parametrize("value", NOT_PLAIN)
def test_a_number_must_be_written_with_plain_digits(tmp_path: Path, key: str, value: str) -> None:
    problem = refused(tmp_path, with_setting(key, value))
    advice = rf"write (it|a) [a-z ]+ \((for example )?{key}: \d+\)"
    assert re.search(rf"line 3: {key} is {re.escape(value)}: {advice}$", problem.message)
    assert problem.version == "v1"


@pytest.mark.parametrize("value", ['"7"', "'7'", "|\n  7", ">-\n  7"])
def test_a_number_in_quotes_is_text(tmp_path: Path, value: str) -> None:
    message = refused(tmp_path, with_setting("window", value)).message
    assert "line 3: window is '7" in message
    assert message.endswith(": write it as a plain whole number (window: 7)")


@pytest.mark.parametrize(
    ("value", "advice"),
    [
        ("010", "without leading zeros (window: 10)"),
        ("0010", "without leading zeros (window: 10)"),
        ("1_0", "as a plain whole number (window: 10)"),
        ("1_000", "as a plain whole number (window: 1000)"),
        ("7.0", "as a plain whole number (window: 7)"),
    ],
)
def test_a_number_yaml_would_misread_is_offered_in_plain_digits(
    tmp_path: Path, value: str, advice: str
) -> None:
    message = refused(tmp_path, with_setting("window", value)).message
    assert message.endswith(f"line 3: window is {value}: write it {advice}")


@pytest.mark.parametrize(("key", "example"), [("seed", "42"), ("window", "5")])
@pytest.mark.parametrize("value", ["five", "0x10", "1e3", "true", "00"])
def test_a_value_that_is_not_clearly_a_number_is_answered_with_an_example(
    tmp_path: Path, key: str, value: str, example: str
) -> None:
    message = refused(tmp_path, with_setting(key, value)).message
    advice = f"write a plain whole number (for example {key}: {example})"
    assert message.endswith(f"line 3: {key} is {value}: {advice}")


@pytest.mark.parametrize(
    ("key", "value", "shown"),
    [
        ("seed", "[42]", "a list"),
        ("window", "{bars: 5}", "a mapping"),
        ("version", "[v1]", "a list"),
        ("version", "{name: v1}", "a mapping"),
        ("warmup", "[zero]", "a list"),
        ("missing", "{a: b}", "a mapping"),
    ],
)
def test_a_list_or_mapping_is_not_a_single_value(
    tmp_path: Path, key: str, value: str, shown: str
) -> None:
    message = refused(tmp_path, with_setting(key, value)).message
    assert message.endswith(f": {key} is {shown}, not a single value")


YAML_READS = {
    "1.0": "float",
    "0.1": "float",
    ".inf": "float",
    "1": "int",
    "010": "int",
    "0x1F": "int",
    "1_0": "int",
    "1:30": "int",
    "2024-01-01": "timestamp",
    "2024-01-01 10:00:00": "timestamp",
    "no": "bool",
    "yes": "bool",
    "on": "bool",
    "off": "bool",
    "True": "bool",
}


@pytest.mark.parametrize(("value", "yaml_type"), YAML_READS.items())
def test_a_version_yaml_would_change_is_refused_with_the_text_to_write(
    tmp_path: Path, value: str, yaml_type: str
) -> None:
    problem = refused(tmp_path, with_setting("version", value))
    assert (
        f"line 3: version is {value}, which YAML reads as type {yaml_type}; "
        f'write version: "{value}"' in problem.message
    )
    assert problem.version is None
    assert read(tmp_path, with_setting("version", f'"{value}"')).version == value


@pytest.mark.parametrize("value", ["", "~", "null", '""', "''", '"  "', '"\\t\\n"'])
def test_an_empty_version_is_refused(tmp_path: Path, value: str) -> None:
    message = refused(tmp_path, with_setting("version", value)).message
    assert message.endswith("line 3: version is empty; write a name, in quotes")


@pytest.mark.parametrize(
    ("written", "version"),
    [
        ("v1", "v1"),
        ("v1   # the first", "v1"),
        ("1.2.3", "1.2.3"),
        ("2024-01", "2024-01"),
        ("'it''s'", "it's"),
        ('" v1 "', " v1 "),
        ('"a\\nb"', "a\nb"),
        ("${HOME}", "${HOME}"),
        ("'{{ 7*7 }}'", "{{ 7*7 }}"),
        ("Größe-データ-🎉", "Größe-データ-🎉"),
        ("y" * 5000, "y" * 5000),
    ],
)
def test_a_version_is_kept_exactly_as_written(tmp_path: Path, written: str, version: str) -> None:
    assert read(tmp_path, with_setting("version", written)).version == version


@given(version=st.text(st.characters(exclude_categories=["Cs"])).filter(str.strip))
@ON_ONE_FILE
def test_any_text_in_quotes_is_kept_exactly_as_the_version(tmp_path: Path, version: str) -> None:
    escapes = "".join(f"\\U{ord(character):08x}" for character in version)
    assert read(tmp_path, with_setting("version", f'"{escapes}"')).version == version


def test_half_a_surrogate_pair_is_not_a_version(tmp_path: Path) -> None:
    message = refused(tmp_path, with_setting("version", '"\\ud800"')).message
    assert r"line 3: version is '\ud800', not text" in message


@pytest.mark.parametrize("level", ["off", "warn", "error", '"off"'])
def test_off_is_a_level_though_yaml_reads_it_as_a_bool(tmp_path: Path, level: str) -> None:
    assert read(tmp_path, CONFIG + f"checks: {{order: {level}}}\n").checks.order == level.strip('"')
