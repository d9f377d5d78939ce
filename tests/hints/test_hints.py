"""Every hint that the program can print is followed to the letter: the value is right, or refused.

A new hint needs a row in one of the tables, or a reason why only people can follow it.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pandas as pd
import pytest

from rollsignal import rolling_signal
from rollsignal.errors import DataError
from tests.support import (
    hints_of_bars,
    hints_of_files,
    hints_of_jobs,
    hints_of_series,
    hints_of_sheets,
    hints_of_symbols,
    hints_of_tables,
)
from tests.support.hints import CUT, Files, Row, Way, hints, hints_in, texts_of
from tests.support.hints_of_bars import BARS, UP, C
from tests.support.hints_of_commands import BY_PEOPLE, COMMANDS, NO_HINTS, CommandRow
from tests.support.oracle import prices, signals
from tests.support.shell import command, strict_json

TABLES = (
    *(hints_of_bars, hints_of_files, hints_of_jobs, hints_of_series),
    *(hints_of_sheets, hints_of_symbols, hints_of_tables),
)
ROWS: list[Row] = [row for rows in TABLES for row in rows.ROWS]
REQUIRED = 'seed: 1\nwindow: 3\nversion: "v"\n'
IN_PYTHON = ["select the column of the closes", "leaves the windows with it without a signal"]
FOLLOWED = [row.hint for row in ROWS] + [row.hint for row in COMMANDS] + IN_PYTHON
KEYS = [*FOLLOWED, *BY_PEOPLE, *NO_HINTS]
REFUSALS = {2, 65, 66, 73, 78}


def rate(series: Sequence[Sequence[str | None]]) -> Decimal:
    """Return the value of the metrics by the definition, from the closes as written."""
    decided = [s for closes in series for s in signals(prices(closes), 3) if s is not None]
    share = Fraction(sum(decided), len(decided))
    return (Decimal(share.numerator) / share.denominator).quantize(Decimal("1.0000"))


def write(files: Files) -> None:
    for name, content in files.items():
        path = Path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        if content is None:
            path.unlink(missing_ok=True)
        elif content == CUT:
            path.write_bytes(path.read_bytes()[:-9])
        else:
            path.write_bytes(content if isinstance(content, bytes) else content.encode())


def run(files: Files, config: str, flags: Sequence[str], inputs: Sequence[str]) -> int:
    Path("config.yaml").write_text(config if "seed" in config else REQUIRED + config)
    names = list(inputs) or [name for name, content in files.items() if content is not None]
    return command("run", "--input", *names, *flags)


def pattern(key: str) -> str:
    """Return what the program prints for a hint, as a regular expression."""
    return "|".join(".*".join(map(re.escape, text.split("…"))) for text in texts_of(key))


def test_every_hint_in_the_source_is_followed_or_left_to_people() -> None:
    known = {text for key in KEYS for text in texts_of(key)}
    assert {text: where for text, where in hints().items() if text not in known} == {}


def test_every_hint_of_the_tables_is_in_the_source() -> None:
    assert [key for key in KEYS if not texts_of(key)] == []


def test_a_new_hint_is_seen() -> None:
    code = 'raise DataError(f"{name}: no bars", "look again")\nhint = f"set {name} to {value}"'
    assert [text for text, _ in hints_in(ast.parse(code))] == ["set … to …", "look again"]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.hint)
def test_a_hint_that_is_followed_leads_to_the_right_value_or_to_a_refusal(
    row: Row, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert row.ways
    for number, way in enumerate(row.ways):
        folder = tmp_path / str(number)
        folder.mkdir()
        monkeypatch.chdir(folder)
        provoke(row)
        assert re.search(pattern(row.hint), capsys.readouterr().err, re.DOTALL)
        follow(row, way)


def provoke(row: Row) -> None:
    for night in row.nights:
        write(night.files)
        config = row.config if night.config is None else night.config
        assert run(night.files, config, row.flags, row.inputs) == 0
    write(row.files)
    run(row.files, row.config, row.flags, row.inputs)


def follow(row: Row, way: Way) -> None:
    write(way.files)
    config = row.config if way.config is None else way.config
    flags = row.flags if way.flags is None else way.flags
    inputs = row.inputs if way.inputs is None else way.inputs
    code = run({**row.files, **way.files}, config, flags, inputs)
    if way.right is None:
        assert code in REFUSALS, way
    else:
        assert code == 0, way
        assert Decimal(str(strict_json(Path("metrics.json").read_text())["value"])) == rate(
            way.right
        )


@pytest.mark.parametrize("row", COMMANDS, ids=lambda row: row.hint)
def test_a_hint_of_another_command_leads_to_the_right_signal_or_to_success(
    row: CommandRow,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    write(row.files)
    run({BARS: UP}, row.config, ["--record=r.json"], ())
    capsys.readouterr()
    assert command(*row.arguments.split()) in REFUSALS
    assert re.search(pattern(row.hint), capsys.readouterr().err, re.DOTALL)
    if row.followed:
        write(row.followed[0])
        Path("config.yaml").write_text(REQUIRED + row.followed[1])
    assert command(*row.then.split()) == 0
    if row.signal is not None:
        assert strict_json(capsys.readouterr().out)["signal"] == row.signal


def test_the_hint_about_a_data_frame_is_followed_in_python() -> None:
    frame = pd.DataFrame({"close": list(map(int, C)), "volume": [9, 8, 7, 6, 5, 4]})
    with pytest.raises(DataError, match="select the column of the closes"):
        rolling_signal(frame, 3)
    assert rolling_signal(list(frame["close"]), 3).signals == signals(prices(C), 3)


def test_the_hint_about_a_missing_close_is_followed_in_python() -> None:
    closes = ["10", None, "11", "12", "13"]
    with pytest.raises(DataError, match='missing="gap" leaves the windows with it without'):
        rolling_signal(closes, 3)
    assert rolling_signal(closes, 3, missing="gap").signals == signals(prices(closes), 3)
