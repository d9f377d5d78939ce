"""Facts about the YAML of a config: which text is accepted, and the messages for all other text."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.support.configs import read, refused, with_setting
from tests.support.shell import CONFIG


def test_a_pattern_without_quotes_is_refused_with_the_advice_to_quote_it(tmp_path: Path) -> None:
    message = refused(tmp_path, with_setting("timestamp_format", "%d/%m/%Y")).message
    assert "line 4: not valid YAML: found character '%' that cannot start" in message
    assert message.endswith("; put it in quotes")


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
        ("seed: 42\nwindow 5\nversion: v1\n", 2),
    ],
)
def test_text_that_is_not_yaml_is_refused_with_the_line(
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
def test_bytes_that_are_not_text_are_refused(tmp_path: Path, content: bytes) -> None:
    message = refused(tmp_path, content).message
    assert re.search("not valid YAML|not UTF-8", message)


def test_a_byte_that_is_not_utf8_is_refused_with_its_line(tmp_path: Path) -> None:
    message = refused(tmp_path, b"seed: 1\nwindow: 2\nversion: caf\xe9\n").message
    assert "config.yaml line 3: " in message
    assert "UTF-8" in message


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_a_byte_order_mark_tells_the_encoding(tmp_path: Path, encoding: str) -> None:
    assert read(tmp_path, CONFIG.encode(encoding)) == read(tmp_path, CONFIG)


@pytest.mark.parametrize("newline", ["\r\n", "\r", "\n\n"])
def test_any_line_end_is_accepted(tmp_path: Path, newline: str) -> None:
    assert read(tmp_path, CONFIG.replace("\n", newline)) == read(tmp_path, CONFIG)


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
    assert message.endswith(f"line {line}: not valid YAML: aliases are not allowed here")


@pytest.mark.parametrize(
    "line",
    ["seed: !!int 42", "seed: !x 42", "? !!str seed\n: 42", "seed: !!python/name:os.system ''"],
)
def test_tags_are_refused(tmp_path: Path, line: str) -> None:
    message = refused(tmp_path, f"{line}\nwindow: 5\nversion: v1\n").message
    assert message.endswith("line 1: not valid YAML: tags are not allowed here")


def test_a_tag_runs_nothing(tmp_path: Path) -> None:
    refused(tmp_path, f'!!python/object/apply:os.mkdir ["{tmp_path}/made"]\n')
    assert not (tmp_path / "made").exists()
