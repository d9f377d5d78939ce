"""Facts about the setting `order`, and what is said of settings that contradict it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from rollsignal.config.reading import config_of
from tests.support.configs import read, refused

CONFIG = 'seed: 42\nwindow: 5\nversion: "v1"\n'
DOWN = "order: newest_first\n"


def test_files_stand_oldest_first_unless_the_config_says_otherwise(tmp_path: Path) -> None:
    assert read(tmp_path, CONFIG).order == "oldest_first"
    config = read(tmp_path, CONFIG + DOWN)
    assert config.order == "newest_first"
    assert config_of(json.loads(json.dumps(config.plain_by_name()))) == config


def test_settings_of_before_had_no_order(tmp_path: Path) -> None:
    former = json.loads(json.dumps(read(tmp_path, CONFIG).plain_by_name()))
    del former["order"]
    assert config_of(former) == read(tmp_path, CONFIG)


@pytest.mark.parametrize("setting", ["order: newest", "order: true", "order: asc", "order: null"])
def test_any_other_order_is_refused(tmp_path: Path, setting: str) -> None:
    assert "not one of oldest_first, newest_first" in refused(tmp_path, CONFIG + setting).message


@pytest.mark.parametrize(
    ("setting", "what"),
    [
        (
            "sort: true\n",
            "sort is true, which puts bars in order however they stand (leave out order)",
        ),
        (
            "columns: {timestamp: none}\n",
            "columns.timestamp is none, and only times show the order (leave out order)",
        ),
        ("checks: {order: warn}\n", "checks.order is warn (set checks: {order: error})"),
        ("checks: {order: 'off'}\n", "checks.order is off (set checks: {order: error})"),
    ],
)
def test_settings_that_leave_the_order_unchecked_are_refused(
    tmp_path: Path, setting: str, what: str
) -> None:
    message = refused(tmp_path, CONFIG + setting + DOWN).message
    assert f"line 5: order is newest_first, but {what}" in message
    assert read(tmp_path, CONFIG + setting).order == "oldest_first"


def test_newest_first_needs_timestamps_whatever_is_checked(tmp_path: Path) -> None:
    checks = "checks: {duplicates: 'off', gaps: 'off'}\n"
    assert read(tmp_path, CONFIG + checks + DOWN).needs_timestamps


def test_rows_of_one_time_are_kept_unless_the_config_says_otherwise(tmp_path: Path) -> None:
    assert read(tmp_path, CONFIG).duplicates == "keep"
    assert read(tmp_path, CONFIG + "duplicates: last\n").duplicates == "last"
    former = json.loads(json.dumps(read(tmp_path, CONFIG).plain_by_name()))
    del former["duplicates"]
    assert config_of(former).duplicates == "keep"
    message = refused(tmp_path, CONFIG + "duplicates: first\n").message
    assert "duplicates is 'first', not one of keep, same, last" in message


@pytest.mark.parametrize(
    ("settings", "what"),
    [
        (
            "columns: {timestamp: none}\nduplicates: last\n",
            "duplicates is last, but columns.timestamp is none, so no row repeats the time of"
            " another",
        ),
        (
            "sort: true\nchecks: {ohlc: warn}\nduplicates: same\n",
            "duplicates is same, but sort keeps only symbol, time and close"
            " (set checks: {ohlc: off})",
        ),
    ],
)
def test_settings_with_which_rows_cannot_be_compared_are_refused(
    tmp_path: Path, settings: str, what: str
) -> None:
    assert refused(tmp_path, CONFIG + settings).message.endswith(what)


def test_leaving_out_repeated_rows_needs_timestamps_whatever_is_checked(tmp_path: Path) -> None:
    checks = "checks: {order: 'off', duplicates: 'off'}\n"
    assert read(tmp_path, CONFIG + checks + "duplicates: same\n").needs_timestamps
