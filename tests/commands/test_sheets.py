"""A workbook is an input like any other: recorded, verified, explained, continued and sorted."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.support.shell import Job, command, process_arguments, strict_json
from tests.support.workbooks import DAY, Cell, Sheet, number, workbook

CLOSES = ["1.5", "2", "1.25", "2", "2", "3", "1", "4"]
CONFIG = 'seed: 42\nwindow: 3\nversion: "v1"\n'


def rows(closes: Sequence[str], first: int = 0) -> list[tuple[Cell | str | None, ...]]:
    days = (number(str(45292 + first + at), DAY) for at in range(len(closes)))
    return [("date", "close"), *zip(days, map(number, closes), strict=True)]


def csv(closes: Sequence[str], first: int = 0) -> str:
    lines = (f"2024-01-{first + at:02},{close}\n" for at, close in enumerate(closes, start=1))
    return "date,close\n" + "".join(lines)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("config.yaml").write_text(CONFIG)
    Path("bars.xlsx").write_bytes(workbook(rows(CLOSES)))
    Path("bars.csv").write_text(csv(CLOSES))
    return tmp_path


def signals(*arguments: str) -> bytes:
    assert command("run", "--signals", "signals.csv", *arguments) == 0
    return Path("signals.csv").read_bytes()


def test_a_workbook_and_its_csv_copy_have_the_same_signals() -> None:
    assert signals("--input", "bars.xlsx") == signals("--input", "bars.csv")
    assert signals("--input", "bars.xlsx", "--workers", "2") == signals("--input", "bars.csv")


def test_a_run_of_a_workbook_is_verified_and_explained(
    capsys: pytest.CaptureFixture[str],
) -> None:
    signals("--input", "bars.xlsx", "--record", "r.json")
    assert command("verify", "r.json") == 0
    capsys.readouterr()
    assert command("explain", "--input", "bars.xlsx", "--at", "2024-01-04", "--json") == 0
    assert '"row": 5' in capsys.readouterr().out
    Path("bars.xlsx").write_bytes(workbook(rows([*CLOSES[:-1], "5"])))
    assert command("verify", "r.json") != 0


def test_a_state_is_continued_with_another_workbook() -> None:
    Path("more.xlsx").write_bytes(workbook(rows(CLOSES, 8)))
    whole = csv(CLOSES) + csv(CLOSES, 8).partition("\n")[2]
    Path("bars.csv").write_text(whole)
    for night in ("bars.xlsx", "more.xlsx"):
        assert command("run", "--input", night, "--state", "s.state") == 0
    continued = strict_json(Path("metrics.json").read_text())["value"]
    assert command("run", "--input", "bars.csv") == 0
    assert continued == strict_json(Path("metrics.json").read_text())["value"]


def test_a_state_refuses_another_sheet() -> None:
    sheets = [Sheet("A", rows(CLOSES)), Sheet("B", rows(CLOSES, 8))]
    Path("two.xlsx").write_bytes(workbook(sheets))
    assert command("run", "--input", "two.xlsx", "--state", "s.state") == 0
    Path("config.yaml").write_text(CONFIG + "table: {sheet: B}\n")
    Path("more.xlsx").write_bytes(workbook(sheets))
    assert command("run", "--input", "more.xlsx", "--state", "s.state") != 0


def test_a_folder_of_workbooks_and_texts_is_read_in_the_order_of_time(folder: Path) -> None:
    bars = folder / "bars"
    bars.mkdir()
    (bars / "b.xlsx").write_bytes(workbook(rows(CLOSES)))
    (bars / "a.csv").write_text(csv(CLOSES, 8))
    # Excel puts such a file beside a workbook that is open.
    (bars / "~$b.xlsx").write_bytes(b"\x05someone".ljust(165, b"\0"))
    Path("bars.csv").write_text(csv(CLOSES) + csv(CLOSES, 8).partition("\n")[2])
    assert signals("--input", "bars") == signals("--input", "bars.csv")
    assert signals("--input", "bars/*") == signals("--input", "bars.csv")


def test_a_workbook_with_the_newest_bar_first_is_sorted() -> None:
    head, *bars = rows(CLOSES)
    Path("last.xlsx").write_bytes(workbook([head, *bars[::-1]]))
    assert command("run", "--input", "last.xlsx") == 65
    Path("config.yaml").write_text(CONFIG + "sort: true\n")
    assert signals("--input", "last.xlsx") == signals("--input", "bars.csv")


def test_symbols_come_from_a_column_or_from_the_names_of_workbooks() -> None:
    Path("config.yaml").write_text(CONFIG + "columns: {symbol: {from: filename}}\n")
    for name in ("xlsx", "csv"):
        text = signals("--input", f"bars.{name}", "--summary", f"{name}.csv")
        assert text.splitlines()[1].startswith(b"2024-01-01T00:00:00Z,bars,")
    assert Path("xlsx.csv").read_bytes() == Path("csv.csv").read_bytes()


def test_findings_of_checks_name_sheet_and_row(capsys: pytest.CaptureFixture[str]) -> None:
    Path("bars.xlsx").write_bytes(workbook(rows([*CLOSES, "-1"])))
    assert command("check", "--input", "bars.xlsx") in (0, 1, 65)
    assert "bars.xlsx (sheet Prices) row 10" in "".join(capsys.readouterr())


def test_a_workbook_is_read_from_standard_input(tmp_path: Path) -> None:
    job = Job(tmp_path)
    with Path("bars.xlsx").open("rb") as file:
        line = process_arguments(*job.arguments(input="-"))
        done = subprocess.run(line, stdin=file, capture_output=True, check=False)
    assert done.returncode == 0
    piped = job.metrics()["value"]
    assert job.run(input="bars.csv") == 0
    assert piped == job.metrics()["value"]


def test_format_refuses_what_is_no_workbook(capsys: pytest.CaptureFixture[str]) -> None:
    assert command("run", "--input", "bars.xlsx", "--format", "xlsx") == 0
    capsys.readouterr()
    assert command("run", "--input", "bars.csv", "--format", "xlsx") == 65
    assert "not xlsx as --format says, but text by its content" in capsys.readouterr().err
    assert command("run", "--input", "bars.xlsx", "--format", "csv") == 65
    assert "not csv as --format says, but xlsx by its content" in capsys.readouterr().err


@pytest.mark.parametrize(("value", "code"), [("A", 0), ("1", 0), ("[A]", 78), ("0", 78)])
def test_the_sheet_is_a_name_or_a_place(value: str, code: int) -> None:
    Path("two.xlsx").write_bytes(workbook([Sheet("A", rows(CLOSES)), Sheet("B", [])]))
    assert command("run", "--input", "two.xlsx", "--set", f"table.sheet={value}") == code
