"""Facts about mappings of settings: the allowed keys, and the messages for all others."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollsignal.config.settings import Checks, Columns
from tests.support.configs import ON_ONE_FILE, read, refused
from tests.support.shell import CONFIG


def test_a_group_may_be_given_in_part(tmp_path: Path) -> None:
    config = read(tmp_path, CONFIG + "columns: {timestamp: t}\nchecks: {duplicates: warn}\n")
    assert config.columns == Columns("close", "t")
    assert config.checks == Checks("error", "warn")


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
        ("columns: {close: 5.0}", 'YAML reads as type float; write columns.close: "5.0"'),
        ("columns: {close: 05}", '(for a column of this name write columns.close: "05")'),
        ("columns: {close: -1}", '(for a column of this name write columns.close: "-1")'),
        ("table: {record: a}", "unknown setting record (did you mean records?)"),
        ("table: {records: 5}", 'YAML reads as type int; write table.records: "5"'),
        ("columns: {close: null}", "columns.close is empty; write a name, in quotes"),
        ("columns: {timestamp: 2024-01-01}", 'write columns.timestamp: "2024-01-01"'),
        ("checks: {order: no}", "checks.order is 'no', not one of error, warn, off"),
        ("checks: {order: true}", "checks.order is 'true', not one of error, warn, off"),
        ("warmup: Zero", "warmup is 'Zero', not one of exclude, zero"),
        ("warmup:", "warmup is '', not one of exclude, zero"),
        ("missing: drop", "missing is 'drop', not one of error, skip, gap"),
    ],
)
def test_a_wrong_value_is_refused_with_the_full_name_of_its_setting(
    tmp_path: Path, line: str, what: str
) -> None:
    problem = refused(tmp_path, CONFIG + line + "\n")
    assert " line 4: " in problem.message
    assert problem.message.endswith(what)
    assert problem.version == "v1"


@given(above=st.lists(st.sampled_from(["", "# a comment", "   ", "  # indented"]), max_size=9))
@ON_ONE_FILE
def test_a_line_is_counted_as_an_editor_counts_it(tmp_path: Path, above: list[str]) -> None:
    content = "\r\n".join([*above, "seed: 42", "", "windw: 5", "version: v1"])
    assert f"line {len(above) + 3}: unknown setting" in refused(tmp_path, content).message
