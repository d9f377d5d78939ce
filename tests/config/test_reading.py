"""Facts about config.yaml: its settings, its defaults, and which files are read."""

from __future__ import annotations

import errno
import os
from io import BytesIO
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollsignal.config.reading import MAX_BYTES, load_config
from rollsignal.config.rules import SymbolFrom
from rollsignal.config.settings import Checks, Columns, JobConfig
from rollsignal.errors import ConfigError, DiskError
from tests.support.configs import ON_ONE_FILE, read, refused
from tests.support.shell import CONFIG


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


def test_timestamps_are_needed_unless_every_check_is_off(tmp_path: Path) -> None:
    assert read(tmp_path, CONFIG).needs_timestamps
    assert read(tmp_path, CONFIG + "checks: {order: off, duplicates: warn}\n").needs_timestamps
    assert read(tmp_path, CONFIG + "checks: {duplicates: off}\n").needs_timestamps
    assert not read(tmp_path, CONFIG + "checks: {order: off, duplicates: off}\n").needs_timestamps


def test_a_config_cannot_be_changed_after_it_is_read(tmp_path: Path) -> None:
    config = read(tmp_path, CONFIG)
    with pytest.raises(AttributeError):
        config.window = 6  # type: ignore[misc]  # to see it refused


@pytest.mark.parametrize("section", [JobConfig, Columns, Checks])
def test_each_setting_is_declared_with_its_help(section: type) -> None:
    for declared in section.__annotations__.values():
        assert get_args(declared)[1].help


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "the config is empty; it needs seed, window and version"),
        ("# seed: 42\n\n", "the config is empty; it needs seed, window and version"),
        ("---\n", "line 1: empty instead of settings"),
        ("- seed\n- window\n", "line 1: a list instead of settings"),
        ("# a\n\n- seed\n", "line 3: a list instead of settings"),
        ("[]\n", "line 1: a list instead of settings"),
        ("42\n", "line 1: 42 instead of settings"),
        ("null\n", "line 1: null instead of settings"),
        ("just text\n", "line 1: just text instead of settings"),
        ('"in quotes"\n', "line 1: 'in quotes' instead of settings"),
    ],
)
def test_a_config_must_be_settings(tmp_path: Path, content: str, message: str) -> None:
    assert message in refused(tmp_path, content).message


def test_a_config_of_64_kib_is_read_and_one_byte_more_is_refused(tmp_path: Path) -> None:
    comment = "#" * (MAX_BYTES - len(CONFIG))
    assert MAX_BYTES == 65_536
    assert read(tmp_path, CONFIG + comment) == read(tmp_path, CONFIG)
    message = refused(tmp_path, CONFIG + comment + "#").message
    assert message.endswith("more than 65,536 bytes, too large for a config")


def test_a_missing_config_is_an_error_with_its_path(tmp_path: Path) -> None:
    path = str(tmp_path / "none.yaml")
    with pytest.raises(ConfigError) as caught:
        load_config(path)
    assert (caught.value.message, caught.value.detail) == ("Config file not found", f"path: {path}")


def test_a_config_that_is_not_a_regular_file_is_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path, description in ((tmp_path, "a directory"), (tmp_path / "pipe", "a pipe")):
        with pytest.raises(ConfigError, match=f"Config file is {description}, not a regular file"):
            load_config(str(path))


class Broken(BytesIO):
    """A file whose disk does not answer."""

    def read(self, *_: object) -> bytes:
        raise OSError(errno.EIO, os.strerror(errno.EIO))


def test_a_config_whose_disk_fails_midway_is_not_called_wrong(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("rollsignal.config.reading.open_regular", lambda *_: Broken())
    with pytest.raises(DiskError, match=r"^config\.yaml: reading failed: Input/output error$"):
        load_config("config.yaml")


PIECES = st.sampled_from(
    [
        *"\n \t:\"'{}[],&*!|>-?#%@~\\0é\x85\ufeff\r",
        *("seed: 42\n", "window: 5\n", "version: v1\n", "columns: ", "checks:\n  ", "order: off\n"),
        *("null", "<<: ", "&a ", "*a", "---\n", '"\\ud800"'),
    ]
)


@given(content=st.lists(PIECES, max_size=30).map("".join) | st.binary(max_size=60))
@ON_ONE_FILE
def test_any_content_is_read_or_refused(tmp_path: Path, content: str | bytes) -> None:
    try:
        config = read(tmp_path, content)
    except ConfigError as problem:
        (problem.message + (problem.version or "")).encode()
    else:
        assert config.window >= 1
        config.version.encode()


def test_settings_are_named_by_their_place_in_the_file(tmp_path: Path) -> None:
    text = CONFIG + "columns: {symbol: {from: filename}}\nchecks: {order: warn}\n"
    values = read(tmp_path, text).by_name()
    assert {"window", "columns.symbol", "checks.order"} <= values.keys()
    assert (values["columns.symbol"], values["checks.order"]) == (SymbolFrom(filename=True), "warn")
    assert not {"columns", "checks"} & values.keys()
