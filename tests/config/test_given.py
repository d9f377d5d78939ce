"""Settings of the command line go before those of the config, and are checked as these are."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from rollsignal.config.reading import load_config, read_config
from rollsignal.config.rules import DateAndTime, SymbolFrom
from rollsignal.errors import ConfigError, JobError, UsageError
from tests.support.shell import Job

CONFIG = 'seed: 1\nwindow: 5\nversion: "v"\nchecks: {order: warn}\n'


@pytest.fixture
def path(tmp_path: Path) -> str:
    config = tmp_path / "config.yaml"
    config.write_text(CONFIG)
    return str(config)


def test_they_go_before_those_of_the_config(path: str) -> None:
    given = ["window=20", "checks.gaps=warn", "columns.symbol={from: filename}", 'version="2"']
    read = read_config(path, given=given)
    config = read.config
    assert (config.seed, config.window, config.version) == (1, 20, "2")
    assert (config.checks.order, config.checks.gaps) == ("warn", "warn")
    assert config.columns.symbol == SymbolFrom(filename=True)
    assert read.lines == {"seed": 1, "checks.order": 4}
    assert set(read.given) == {"window", "checks.gaps", "columns.symbol", "version"}


def test_a_section_gives_its_settings_one_by_one(path: str) -> None:
    given = ["checks={gaps: warn, ohlc: 'off'}", "columns={close: {}, timestamp: [1, 2]}"]
    with pytest.raises(ConfigError):
        read_config(path, given=given)
    read = read_config(path, given=[given[0], "columns={close: 5, timestamp: [1, 2]}"])
    assert read.config.checks[:4] == ("warn", "error", "off", "warn")
    assert read.config.columns[:2] == (5, DateAndTime(1, 2))
    assert set(read.given) == {"checks.gaps", "checks.ohlc", "columns.close", "columns.timestamp"}
    with pytest.raises(UsageError, match=r"--set columns\.close is given twice; keep one"):
        read_config(path, given=["columns={close: 5}", "columns.close=4"])


@pytest.mark.parametrize(
    ("setting", "value"),
    [("thousands", ","), ("thousands", "'"), ("comment", "#"), ("strip", "%"), ("comment", "@")],
)
def test_a_text_that_yaml_reads_as_something_else_comes_with_what_to_write(
    path: str, setting: str, value: str
) -> None:
    with pytest.raises(ConfigError) as problem:
        load_config(path, given=[f"table.{setting}={value}"])
    assert problem.value.detail.startswith("if it is a text, write --set ")
    (given,) = shlex.split(problem.value.detail.partition("--set ")[2])
    assert getattr(load_config(path, given=[given]).table, setting) == value


def test_the_last_sign_may_be_an_equals_sign(path: str) -> None:
    assert load_config(path, given=["version=a=b"]).version == "a=b"


@pytest.mark.parametrize(
    ("given", "kind", "message"),
    [
        ("window=010", ConfigError, "--set window: window is 010: write it without leading"),
        ("window=", ConfigError, "--set window: window is empty"),
        ("window=[1]", ConfigError, "--set window: window is a list, not a single value"),
        ("columns.symbol={from: x}", ConfigError, "--set columns.symbol: "),
        ("window=@", ConfigError, "--set window line 1: not valid YAML: "),
        ("window=\udcff", ConfigError, "--set window line 1: not valid YAML text"),
        ("checks.order=loud", ConfigError, "--set checks.order: checks.order is 'loud'"),
        ("windw=3", UsageError, "--set has no setting 'windw' (did you mean window?)"),
        (
            "checks={oder: off}",
            UsageError,
            "--set has no setting 'checks.oder' (did you mean checks.o",
        ),
        ("checks=off", ConfigError, "--set checks: checks is off, not a group of settings such as"),
        ("checks=", ConfigError, "--set checks: checks is empty, not a group of settings"),
        ("columns={close: a, close: b}", UsageError, "--set columns.close is given twice"),
        ("columns={close: [1]}", ConfigError, "--set columns.close: columns.close is a list"),
        (
            "table.comment=#",
            ConfigError,
            "--set table.comment is '#', of which YAML takes a part as",
        ),
        ("version=a #b", ConfigError, "--set version is 'a #b', of which YAML takes a part as"),
        ("window", UsageError, "--set 'window' lacks a value (write KEY=VALUE, as window=20)"),
    ],
)
def test_a_wrong_one_is_refused_and_named(
    path: str, given: str, kind: type[JobError], message: str
) -> None:
    with pytest.raises(kind) as problem:
        load_config(path, given=[given])
    assert str(problem.value).startswith(message)


def test_one_that_is_given_twice_is_refused(path: str) -> None:
    with pytest.raises(UsageError, match="--set window is given twice; keep one"):
        load_config(path, given=["window=3", "window=4"])


def test_an_error_of_the_config_still_names_its_line(path: str) -> None:
    Path(path).write_text(CONFIG.replace("seed: 1", "seed: x"))
    with pytest.raises(ConfigError, match=r"config\.yaml line 1: seed is x"):
        load_config(path, given=["window=3"])


def test_without_a_config_all_that_is_required_must_be_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    required = ["seed=1", "window=2", "version=v"]
    assert load_config("config.yaml", given=required).window == 2
    with pytest.raises(ConfigError, match=r"--set seed: missing window and version"):
        load_config("config.yaml", given=required[:1])
    with pytest.raises(ConfigError, match="Config file not found"):
        load_config("other.yaml", given=required)


def test_a_run_uses_them_and_says_which_flag_is_wrong(tmp_path: Path) -> None:
    job = Job(tmp_path, "close\n1\n2\n3\n", CONFIG)
    assert job.run("--set", "window=2") == 0
    assert job.metrics()["value"] == 1
    assert job.run("--set", "window=two", "--set", "version=mine") == 78
    assert str(job.metrics()["error_message"]).startswith("--set window: window is two")
    assert job.metrics()["version"] == "mine"
