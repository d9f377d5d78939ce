"""A run on times of a place: its files are in UTC, and state and record keep the place."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.support.records import forged
from tests.support.shell import command

NIGHT = "time,close\n" + "".join(
    f"2024-11-03 {clock},{close}\n"
    for clock, close in [("00:30", 1), ("01:00", 2), ("01:30", 3), ("01:00", 5), ("01:30", 4)]
)
LATER = "2024-11-03 02:00,6\n"
CONFIG = 'seed: 1\nwindow: 2\nversion: "v"\n'
IN_NEW_YORK = CONFIG + "timezone: America/New_York\n"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("config.yaml").write_text(IN_NEW_YORK)
    Path("bars.csv").write_text(NIGHT)
    return tmp_path


def run(*flags: str) -> int:
    return command("run", "--input", "bars.csv", *flags)


def times(path: str) -> list[str]:
    return [line.split(",")[0] for line in Path(path).read_text().splitlines()[1:]]


def test_signals_and_summary_are_in_utc() -> None:
    assert run("--signals=s.csv", "--summary=m.csv") == 0
    assert times("s.csv") == [
        f"2024-11-03T{clock}:00Z" for clock in ("04:30", "05:00", "05:30", "06:00", "06:30")
    ]
    head, row = (line.split(",") for line in Path("m.csv").read_text().splitlines())
    cells = dict(zip(head, row, strict=True))
    assert {"2024-11-03T04:30:00Z", "2024-11-03T06:30:00Z"} <= set(cells.values())


def test_since_and_until_are_in_utc() -> None:
    assert run("--signals=s.csv", "--since=2024-11-03T05:30", "--until=2024-11-03 06:00") == 0
    assert times("s.csv")[0] == "2024-11-03T05:30:00Z"
    assert "2024-11-03T06:30:00Z" not in times("s.csv")


def test_a_record_keeps_the_place_and_verifies() -> None:
    assert run("--record=r.json") == 0
    record = json.loads(Path("r.json").read_text())
    assert record["config"]["timezone"]["value"] == "America/New_York"
    assert command("verify", "r.json") == 0
    del record["config"]["timezone"]
    Path("r.json").write_text(forged(record))
    # As of an earlier version, in whose signals these times are not in UTC.
    assert command("verify", "r.json") == 65


def test_a_state_is_continued_only_with_its_place(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--state=s.state", "--signals=s.csv") == 0
    Path("bars.csv").write_text(NIGHT + LATER)
    Path("config.yaml").write_text(CONFIG)
    assert run("--state=s.state", "--signals=s.csv") == 78
    assert 'timezone is null, was "America/New_York"' in capsys.readouterr().err
    Path("config.yaml").write_text(IN_NEW_YORK)
    assert run("--state=s.state", "--signals=s.csv") == 0
    assert times("s.csv")[-1] == "2024-11-03T07:00:00Z"


def test_a_state_of_before_there_was_the_setting_is_continued_without_a_place() -> None:
    Path("config.yaml").write_text(CONFIG)
    Path("bars.csv").write_text("time,close\n2024-11-03 00:30,1\n2024-11-03 01:30,2\n")
    assert run("--state=s.state") == 0
    with open("bars.csv", "a") as bars:
        bars.write(LATER)
    assert run("--state=s.state") == 0
    Path("config.yaml").write_text(IN_NEW_YORK)
    assert run("--state=s.state") == 78


def test_a_check_finds_nothing_wrong_with_an_hour_that_comes_twice(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert command("check", "--input", "bars.csv") == 0
    assert json.loads(capsys.readouterr().out)["status"] == "ok"


def test_a_bar_of_the_second_hour_is_explained_by_its_time_in_utc(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert command("explain", "--input", "bars.csv", "--at", "2024-11-03T06:00:00Z") == 0
    assert "2024-11-03T06:00:00Z, number 4 of its series" in capsys.readouterr().out
