"""Facts about config.yaml: what is read, what is refused, and what is said about it."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rollsignal.config import MAX_BYTES, Checks, Columns, JobConfig, load_config
from rollsignal.errors import ConfigError
from rollsignal.settings import DateAndTime, SymbolFrom
from rollsignal.timestamp_forms import EPOCHS
from tests.shell import CONFIG

ON_ONE_FILE = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)


def read(folder: Path, content: str | bytes) -> JobConfig:
    path = folder / "config.yaml"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return load_config(str(path))


def refused(folder: Path, content: str | bytes) -> ConfigError:
    """Give the error, after seeing that it names the file."""
    with pytest.raises(ConfigError) as caught:
        read(folder, content)
    assert caught.value.message.startswith(str(folder / "config.yaml"))
    assert caught.value.exit_code == 78
    return caught.value


def with_setting(key: str, value: str) -> str:
    """Write a config with a setting of three given otherwise; the setting is on the last line."""
    lines = {"seed": "42", "window": "5", "version": '"v1"'}
    lines.pop(key, None)
    return "".join(f"{name}: {usual}\n" for name, usual in lines.items()) + f"{key}: {value}\n"


def test_the_seeds_config_is_read_with_the_published_defaults(tmp_path: Path) -> None:
    assert read(tmp_path, 'seed: 42\nwindow: 5\nversion: "v1"\n') == JobConfig(
        seed=42,
        window=5,
        version="v1",
        warmup="exclude",
        missing="error",
        columns=Columns(close="close", timestamp=None),
        timestamp_format=None,
        checks=Checks(order="error", duplicates="error"),
    )


def test_every_setting_can_be_given(tmp_path: Path) -> None:
    config = read(
        tmp_path,
        """
        version: v2
        window: 10
        seed: 0
        warmup: zero
        missing: skip
        columns: {timestamp: Date, close: Adj Close}
        timestamp_format: "%d/%m/%Y"
        checks:
            duplicates: off
            order: warn
            ohlc: error
            gaps: warn
        sort: true
        """,
    )
    assert config == JobConfig(
        seed=0,
        window=10,
        version="v2",
        warmup="zero",
        missing="skip",
        sort=True,
        columns=Columns("Adj Close", "Date"),
        timestamp_format="%d/%m/%Y",
        checks=Checks("warn", "off", "error", "warn"),
    )


def test_a_timestamp_column_of_null_is_one_found_by_its_usual_names(tmp_path: Path) -> None:
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
        ("[Date, 5]", 'is 5, which YAML reads as a int; write columns.timestamp: "5"'),
        ("[Date, [Time]]", "is a list, not a single value"),
        ("{date: Date}", "is a mapping, not a single value"),
    ],
)
def test_a_wrong_list_of_timestamp_columns_is_refused(
    tmp_path: Path, value: str, what: str
) -> None:
    message = refused(tmp_path, CONFIG + f"columns: {{timestamp: {value}}}\n").message
    assert message.endswith(f"line 4: columns.timestamp {what}")


@pytest.mark.parametrize("word", ["iso", *EPOCHS])
def test_each_word_for_how_timestamps_are_written_is_taken(tmp_path: Path, word: str) -> None:
    assert read(tmp_path, with_setting("timestamp_format", word)).timestamp_format == word


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
        ('"%d/%m"', "is '%d/%m', which does not say the year (%Y)"),
        ("iso8601", "is 'iso8601', neither one of iso, epoch_s, epoch_ms, epoch_us, epoch_ns nor "),
        ("YYYY-MM-DD", "is 'YYYY-MM-DD', neither one of iso, epoch_s, "),
        ("[iso]", "is a list, not a single value"),
        ('""', "is empty; write a name, in quotes"),
        ("2024-01-31", "is 2024-01-31, which YAML reads as a timestamp"),
    ],
)
def test_a_wrong_pattern_is_refused_with_its_line(tmp_path: Path, value: str, what: str) -> None:
    problem = refused(tmp_path, with_setting("timestamp_format", value))
    assert f" line 4: timestamp_format {what}" in problem.message
    assert problem.version == "v1"


def test_a_pattern_without_quotes_is_refused_with_the_advice_to_quote_it(tmp_path: Path) -> None:
    message = refused(tmp_path, with_setting("timestamp_format", "%d/%m/%Y")).message
    assert "line 4: not valid YAML: found character '%' that cannot start" in message
    assert message.endswith("; put it in quotes")


def test_a_group_may_be_given_in_part(tmp_path: Path) -> None:
    config = read(tmp_path, CONFIG + "columns: {timestamp: t}\nchecks: {duplicates: warn}\n")
    assert config.columns == Columns("close", "t")
    assert config.checks == Checks("error", "warn")


@pytest.mark.parametrize(
    ("setting", "words"),
    [("warmup", ("exclude", "zero")), ("missing", ("error", "skip", "gap"))],
)
def test_each_word_of_a_choice_is_taken(
    tmp_path: Path, setting: str, words: tuple[str, ...]
) -> None:
    for word in words:
        assert getattr(read(tmp_path, CONFIG + f"{setting}: {word}\n"), setting) == word


def test_timestamps_are_needed_unless_every_check_is_off(tmp_path: Path) -> None:
    assert read(tmp_path, CONFIG).needs_timestamps
    assert read(tmp_path, CONFIG + "checks: {order: off, duplicates: warn}\n").needs_timestamps
    assert read(tmp_path, CONFIG + "checks: {duplicates: off}\n").needs_timestamps
    assert not read(tmp_path, CONFIG + "checks: {order: off, duplicates: off}\n").needs_timestamps


def test_a_config_cannot_be_changed_after_it_is_read(tmp_path: Path) -> None:
    config = read(tmp_path, CONFIG)
    with pytest.raises(AttributeError):
        config.window = 6  # type: ignore[misc]


@pytest.mark.parametrize("kind", [JobConfig, Columns, Checks])
def test_each_setting_is_declared_with_its_help(kind: type) -> None:
    for declared in kind.__annotations__.values():
        assert get_args(declared)[1].help


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
    assert f"line 3: {key} is {value}, no plain whole number (write {key}: " in problem.message
    assert problem.version == "v1"


@pytest.mark.parametrize("value", ['"7"', "'7'", "|\n  7", ">-\n  7"])
def test_a_number_in_quotes_is_text(tmp_path: Path, value: str) -> None:
    message = refused(tmp_path, with_setting("window", value)).message
    assert "line 3: window is '7" in message
    assert "write window: 7)" in message


@pytest.mark.parametrize(
    ("value", "form"),
    [("010", "10"), ("0010", "10"), ("1_0", "10"), ("1_000", "1000"), ("7.0", "7")],
)
def test_a_number_yaml_would_misread_is_offered_in_plain_digits(
    tmp_path: Path, value: str, form: str
) -> None:
    assert f"(write window: {form})" in refused(tmp_path, with_setting("window", value)).message


@pytest.mark.parametrize(
    ("key", "value", "found"),
    [
        ("seed", "[42]", "a list"),
        ("window", "{bars: 5}", "a mapping"),
        ("version", "[v1]", "a list"),
        ("version", "{name: v1}", "a mapping"),
        ("warmup", "[zero]", "a list"),
        ("missing", "{a: b}", "a mapping"),
    ],
)
def test_a_list_or_mapping_is_no_single_value(
    tmp_path: Path, key: str, value: str, found: str
) -> None:
    message = refused(tmp_path, with_setting(key, value)).message
    assert message.endswith(f": {key} is {found}, not a single value")


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


@pytest.mark.parametrize(("value", "kind"), YAML_READS.items())
def test_a_version_yaml_would_change_is_refused_with_the_form_to_write(
    tmp_path: Path, value: str, kind: str
) -> None:
    problem = refused(tmp_path, with_setting("version", value))
    assert (
        f"line 3: version is {value}, which YAML reads as a {kind}; "
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
def test_any_text_in_quotes_is_a_version_to_the_letter(tmp_path: Path, version: str) -> None:
    escapes = "".join(f"\\U{ord(character):08x}" for character in version)
    assert read(tmp_path, with_setting("version", f'"{escapes}"')).version == version


def test_half_a_surrogate_pair_is_no_version(tmp_path: Path) -> None:
    message = refused(tmp_path, with_setting("version", '"\\ud800"')).message
    assert r"line 3: version is '\ud800', not text" in message


@pytest.mark.parametrize(
    ("content", "found"),
    [
        ("", "the config is empty; it needs seed, window and version"),
        ("# seed: 42\n\n", "the config is empty; it needs seed, window and version"),
        ("---\n", "line 1: empty instead of settings"),
        ("- seed\n- window\n", "line 1: a list instead of settings"),
        ("[]\n", "line 1: a list instead of settings"),
        ("42\n", "line 1: 42 instead of settings"),
        ("null\n", "line 1: null instead of settings"),
        ("just text\n", "line 1: just text instead of settings"),
        ('"in quotes"\n', "line 1: 'in quotes' instead of settings"),
    ],
)
def test_a_config_must_be_settings(tmp_path: Path, content: str, found: str) -> None:
    assert found in refused(tmp_path, content).message


@pytest.mark.parametrize(
    ("content", "missing"),
    [
        ("seed: 1\nwindow: 2\n", 'version (write for example version: "v1")'),
        ("seed: 1\nversion: v\n", "window (write for example window: 5)"),
        ("window: 2\nversion: v\n", "seed (write for example seed: 42)"),
        ("window: 2\n", "seed and version (write for example seed: 42)"),
        ("warmup: zero\n", "seed and window and version (write for example seed: 42)"),
        ("{}\n", "seed and window and version (write for example seed: 42)"),
    ],
)
def test_missing_settings_are_all_named(tmp_path: Path, content: str, missing: str) -> None:
    assert refused(tmp_path, content).message.endswith(f"line 1: missing {missing}")


@pytest.mark.parametrize("key", ["seed", "window", "version", "warmup"])
def test_a_setting_given_twice_is_refused_at_the_second(tmp_path: Path, key: str) -> None:
    line = {"seed": "42", "window": "2", "version": '"v1"', "warmup": "zero"}[key]
    content = CONFIG.replace("seed", "warmup: zero\nseed", 1) + f"{key}: {line}\n"
    problem = refused(tmp_path, content)
    assert problem.message.endswith(f"line 5: {key} is given twice; keep one")
    assert problem.version == "v1"


def test_a_setting_of_a_group_given_twice_is_refused_at_the_second(tmp_path: Path) -> None:
    message = refused(tmp_path, CONFIG + "columns:\n  close: a\n  'close': b\n").message
    assert message.endswith("line 6: columns.close is given twice; keep one")


@pytest.mark.parametrize(
    ("line", "hint"),
    [
        ("windw: 5", "unknown setting windw (did you mean window?)"),
        ("Window: 5", "unknown setting Window (did you mean window?)"),
        ("'version ': 5", "unknown setting 'version ' (did you mean version?)"),
        ("checks: {ordr: off}", "unknown setting ordr (did you mean order?)"),
        ("columns: {clse: c}", "unknown setting clse (did you mean close?)"),
        ("columns: {ohlc: c}", "unknown setting ohlc (known: close, timestamp"),
        ("5: 5", "unknown setting 5 (known: seed, window, version, "),
        ("null: 5", "unknown setting null (known: seed, window, version, "),
        ("[a]: 5", "unknown setting a list (known: seed, window, version, "),
        ('"\\x1b[2J": 5', r"unknown setting '\x1b[2J' (known: seed, "),
        ("<<: {window: 5}", "unknown setting << (known: seed, "),
    ],
)
def test_an_unknown_setting_is_refused_with_the_nearest(
    tmp_path: Path, line: str, hint: str
) -> None:
    problem = refused(tmp_path, CONFIG + line + "\n")
    assert f"line 4: {hint}" in problem.message
    assert problem.version == "v1"


def test_an_unknown_setting_with_a_giant_name_is_refused_in_a_short_message(
    tmp_path: Path,
) -> None:
    message = refused(tmp_path, CONFIG + f"? {'z' * 60_000}\n: 1\n").message
    assert "line 4: unknown setting zzz" in message
    assert len(message) < len(str(tmp_path)) + 300


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ("columns:", "columns is empty, not a group of settings"),
        ("columns: close", "columns is close, not a group of settings"),
        ("checks: [order]", "checks is a list, not a group of settings"),
        ("columns: {close: 5}", 'YAML reads as a int; write columns.close: "5"'),
        ("columns: {close: null}", "columns.close is empty; write a name, in quotes"),
        ("columns: {timestamp: 2024-01-01}", 'write columns.timestamp: "2024-01-01"'),
        ("checks: {order: no}", "checks.order is 'no', not one of error, warn, off"),
        ("checks: {order: true}", "checks.order is 'true', not one of error, warn, off"),
        ("warmup: Zero", "warmup is 'Zero', not one of exclude, zero"),
        ("warmup:", "warmup is '', not one of exclude, zero"),
        ("missing: drop", "missing is 'drop', not one of error, skip, gap"),
    ],
)
def test_a_setting_of_another_kind_is_refused_by_its_whole_name(
    tmp_path: Path, line: str, what: str
) -> None:
    problem = refused(tmp_path, CONFIG + line + "\n")
    assert " line 4: " in problem.message
    assert problem.message.endswith(what)
    assert problem.version == "v1"


@pytest.mark.parametrize("level", ["off", "warn", "error", '"off"'])
def test_off_is_a_level_though_yaml_reads_it_as_a_bool(tmp_path: Path, level: str) -> None:
    assert read(tmp_path, CONFIG + f"checks: {{order: {level}}}\n").checks.order == level.strip('"')


@pytest.mark.parametrize(
    ("content", "line"),
    [
        ("seed: 42\nwindow: [5\nversion: v1\n", 3),
        ("seed: 42\n\twindow: 5\n", 2),
        ("seed: 42\nwindow: 5: 6\n", 2),
        ("seed: 42\nversion: @v1\n", 2),
        ("seed: 42\nversion: 'v1\nwindow: 5\n", 2),
        ("seed: 42\n  window: 5\nversion: v1\n", 2),
        ("seed: 42\nwindow: 5\nversion: v1\n---\nseed: 43\n", 4),
        ("<html>\n<body>: [\n", 2),
        ("seed: 42\nwindow 5\nversion: v1\n", 3),
    ],
)
def test_text_that_is_no_yaml_is_refused_with_the_line(
    tmp_path: Path, content: str, line: int
) -> None:
    assert f"config.yaml line {line}: not valid YAML: " in refused(tmp_path, content).message


@pytest.mark.parametrize(
    "content",
    [
        CONFIG.encode() + b"\0",
        CONFIG.encode() + b"# caf\xe9\n",
        b"\xff\xfe\x00",
        bytes(range(256)),
        b"PK\x03\x04\x14\x00",
        CONFIG.encode() + b"# \x1b[2J\n",
    ],
)
def test_bytes_that_are_no_text_are_refused(tmp_path: Path, content: bytes) -> None:
    message = refused(tmp_path, content).message
    assert re.search("not valid YAML|not UTF-8", message)


def test_a_byte_that_is_not_utf8_is_told_with_its_line(tmp_path: Path) -> None:
    message = refused(tmp_path, b"seed: 1\nwindow: 2\nversion: caf\xe9\n").message
    assert "config.yaml line 3: " in message
    assert "UTF-8" in message


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_a_byte_order_mark_tells_the_encoding(tmp_path: Path, encoding: str) -> None:
    assert read(tmp_path, CONFIG.encode(encoding)) == read(tmp_path, CONFIG)


@pytest.mark.parametrize("newline", ["\r\n", "\r", "\n\n"])
def test_any_line_end_is_taken(tmp_path: Path, newline: str) -> None:
    assert read(tmp_path, CONFIG.replace("\n", newline)) == read(tmp_path, CONFIG)


@given(above=st.lists(st.sampled_from(["", "# a comment", "   ", "  # indented"]), max_size=9))
@ON_ONE_FILE
def test_a_line_is_counted_as_an_editor_counts_it(tmp_path: Path, above: list[str]) -> None:
    content = "\r\n".join([*above, "seed: 42", "", "windw: 5", "version: v1"])
    assert f"line {len(above) + 3}: unknown setting" in refused(tmp_path, content).message


def test_a_config_of_64_kib_is_read_and_one_byte_more_is_refused(tmp_path: Path) -> None:
    comment = "#" * (MAX_BYTES - len(CONFIG))
    assert MAX_BYTES == 65_536
    assert read(tmp_path, CONFIG + comment) == read(tmp_path, CONFIG)
    message = refused(tmp_path, CONFIG + comment + "#").message
    assert message.endswith("more than 65,536 bytes, too large for a config")


@pytest.mark.parametrize(
    "nested",
    ["[" * 20 + "]" * 20, "[" * 30_000 + "]" * 30_000, "[" * 60_000, "{a: " * 9 + "}" * 9],
)
def test_a_deeply_nested_config_is_refused(tmp_path: Path, nested: str) -> None:
    message = refused(tmp_path, CONFIG + f"x: {nested}\n").message
    assert message.endswith("line 4: not valid YAML: nested too deeply")


LAUGHS = "a0: &a0 [lol, lol]\n" + "".join(
    f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 10)
)


@pytest.mark.parametrize(
    ("content", "line"),
    [
        ("seed: &a 42\nwindow: *a\nversion: v1\n", 2),
        ("seed: &a 42\nwindow: 2\nversion: v1\ncolumns: &b {close: *b}\n", 4),
        (LAUGHS + CONFIG, 2),
        (LAUGHS + "seed: 42\nwindow: *a9\nversion: *a9\n", 2),
    ],
)
def test_aliases_are_refused_before_they_are_followed(
    tmp_path: Path, content: str, line: int
) -> None:
    message = refused(tmp_path, content).message
    assert message.endswith(f"line {line}: not valid YAML: aliases are not used here")


@pytest.mark.parametrize(
    "line",
    ["seed: !!int 42", "seed: !x 42", "? !!str seed\n: 42", "seed: !!python/name:os.system ''"],
)
def test_tags_are_refused(tmp_path: Path, line: str) -> None:
    message = refused(tmp_path, f"{line}\nwindow: 5\nversion: v1\n").message
    assert message.endswith("line 1: not valid YAML: tags are not used here")


def test_a_tag_runs_nothing(tmp_path: Path) -> None:
    refused(tmp_path, f'!!python/object/apply:os.mkdir ["{tmp_path}/made"]\n')
    assert not (tmp_path / "made").exists()


def test_a_missing_config_is_told_with_its_path(tmp_path: Path) -> None:
    path = str(tmp_path / "none.yaml")
    with pytest.raises(ConfigError) as caught:
        load_config(path)
    assert (caught.value.message, caught.value.detail) == ("Config file not found", f"path: {path}")


def test_a_config_that_is_no_regular_file_is_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path, kind in ((tmp_path, "a directory"), (tmp_path / "pipe", "a pipe")):
        with pytest.raises(ConfigError, match=f"Config file is {kind}, not a regular file"):
            load_config(str(path))


PIECES = st.sampled_from(
    [
        *"\n \t:\"'{}[],&*!|>-?#%@~\\0é\x85\ufeff\r",
        *("seed: 42\n", "window: 5\n", "version: v1\n", "columns: ", "checks:\n  ", "order: off\n"),
        *("null", "<<: ", "&a ", "*a", "---\n", '"\\ud800"'),
    ]
)


@given(content=st.lists(PIECES, max_size=30).map("".join) | st.binary(max_size=60))
@ON_ONE_FILE
def test_whatever_a_file_holds_it_is_read_or_refused(tmp_path: Path, content: str | bytes) -> None:
    try:
        config = read(tmp_path, content)
    except ConfigError as problem:
        (problem.message + (problem.version or "")).encode()
    else:
        assert config.window >= 1
        config.version.encode()


def test_settings_are_named_by_their_place_in_the_file(tmp_path: Path) -> None:
    text = CONFIG + "columns: {symbol: {from: filename}}\nchecks: {order: warn}\n"
    named = read(tmp_path, text).by_name()
    assert {"window", "columns.symbol", "checks.order"} <= named.keys()
    assert (named["columns.symbol"], named["checks.order"]) == (SymbolFrom(filename=True), "warn")
    assert not {"columns", "checks"} & named.keys()
