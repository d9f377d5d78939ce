"""Facts about `evaluate` as a command: what it takes, what it prints, and what it refuses."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import polars as pl
import pytest

from tests.support.shell import ROOT, command, strict_json

Out = pytest.CaptureFixture[str]


# Of three days, so that intervals, which take most of the time, are drawn from fewer bars.
BARS = 3_000


def ran(folder: Path, bars: int | None) -> Path:
    """Run the sample job in the working folder, on its first bars or on all."""
    head, *rows = (ROOT / "data.csv").read_text().splitlines(keepends=True)
    (folder / "data.csv").write_text(head + "".join(rows[:bars]))
    (folder / "config.yaml").write_bytes((ROOT / "config.yaml").read_bytes())
    assert command("run", "--signals=s.csv", "--record=r.json") == 0
    return folder


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder in which the job has run on a part of the sample, with all it can leave."""
    monkeypatch.chdir(tmp_path)
    return ran(tmp_path, BARS)


@pytest.fixture
def sample(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder in which the sample job has run, with all that it can leave."""
    monkeypatch.chdir(tmp_path)
    return ran(tmp_path, None)


def evaluated(out: Out, *arguments: str) -> dict[str, Any]:
    out.readouterr()
    assert command("evaluate", "--json", *arguments) == 0
    printed, said = out.readouterr()
    assert said == ""
    document = strict_json(printed)
    assert command("schema", "evaluation") == 0
    schema = json.loads(out.readouterr().out)
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(document, schema)
    assert document.pop("schema") == schema["$id"]
    return document


def refused(out: Out, code: int, *arguments: str) -> str:
    out.readouterr()
    assert command("evaluate", *arguments) == code
    printed, said = out.readouterr()
    assert printed == ""
    return said


def test_the_keys_come_in_the_published_order(folder: Path, capsys: Out) -> None:
    document = evaluated(capsys, "r.json")
    assert list(document) == [
        *("run", "settings", "rate", "fragility", "coverage", "forward", "trading", "excess"),
        *("undefined", "verdicts"),
    ]
    assert list(document["trading"]["net"]) == [
        *("growth", "return_per_year", "volatility", "sharpe", "max_drawdown"),
        *("from", "bottom", "until"),
    ]


def test_the_sample_has_the_figures_of_its_run(sample: Path, capsys: Out) -> None:
    document = evaluated(capsys, "r.json")
    metrics = json.loads(Path("metrics.json").read_text())
    record = json.loads(Path("r.json").read_text())
    assert document["rate"]["value"] == metrics["value"]
    assert document["fragility"]["ties"] == record["tally"]["ties"]
    assert document["run"]["signals"] == record["tally"]["signals"]
    assert document["verdicts"]["trust"] == {"verdict": "ok", "why": []}
    assert document["verdicts"]["good"] == {"verdict": "none", "why": ["no edge found"]}


@pytest.mark.parametrize(
    "flags",
    [["--signals=t.parquet"], ["--signals=t.arrow"], ["--signals=t", "--partition-by=date"]],
)
def test_a_record_and_its_signals_in_any_form_have_the_same_figures(
    sample: Path, capsys: Out, flags: list[str]
) -> None:
    assert command("run", *flags) == 0
    figures = evaluated(capsys, "r.json")
    bare = evaluated(capsys, flags[0].partition("=")[2])
    figures["run"].pop("path")
    bare["run"].pop("path")
    reasons = bare["verdicts"]["trust"].pop("why")
    assert reasons == ["what the checks found is not known without the record"]
    assert figures["verdicts"]["trust"].pop("why") == []
    assert bare == figures


def test_settings_are_those_of_the_record_or_given(folder: Path, capsys: Out) -> None:
    cheap = evaluated(capsys, "r.json")
    Path("config.yaml").write_text("evaluate: {cost_bp: 5}\n")
    assert evaluated(capsys, "r.json") == cheap
    assert evaluated(capsys, "s.csv")["settings"]["cost_bp"] == 5
    dear = evaluated(capsys, "r.json", "--set", "evaluate.cost_bp=5")
    assert dear["settings"]["cost_bp"] == 5
    assert dear["trading"]["net"]["growth"] < cheap["trading"]["net"]["growth"]
    assert dear["trading"]["gross"] == cheap["trading"]["gross"]
    assert "has its own settings" in refused(capsys, 2, "r.json", "--config=config.yaml")
    assert "run again with it" in refused(capsys, 2, "r.json", "--set", "window=6")
    assert "evaluate.delay is x" in refused(capsys, 78, "s.csv", "--set", "evaluate.delay=x")


def test_bars_a_year_can_be_given(folder: Path, capsys: Out) -> None:
    found = evaluated(capsys, "s.csv", "--set", "evaluate.bars_per_year=98280")
    assert found["trading"]["bars_per_year"] == 98280


def test_another_seed_gives_other_intervals_and_the_same_figures(folder: Path, capsys: Out) -> None:
    one, other = (evaluated(capsys, "s.csv", "--set", f"seed={seed}") for seed in (42, 43))
    for a, b in zip(one["forward"], other["forward"], strict=True):
        assert a.pop("interval") != b.pop("interval")
        assert a == b
    assert one == evaluated(capsys, "s.csv") | {"forward": one["forward"]}


def test_a_row_for_every_symbol_is_written_in_three_formats(folder: Path, capsys: Out) -> None:
    for suffix in ("csv", "json", "parquet"):
        evaluated(capsys, "r.json", f"--summary=rows/of.{suffix}")
    (row,) = json.loads(Path("rows/of.json").read_text())
    assert pl.read_parquet("rows/of.parquet").to_dicts() == [row]
    assert Path("rows/of.csv").read_text().splitlines()[0].split(",") == list(row)
    assert list(row)[-4:] == ["difference_1", "difference_5", "difference_20", "break_even_bp"]
    assert "must end in one of" in refused(capsys, 2, "r.json", "--summary=rows.txt")


def test_signals_that_were_changed_are_refused(folder: Path, capsys: Out) -> None:
    Path("s.csv").write_text(Path("s.csv").read_text().replace(",42001.73,", ",42001.74,"))
    assert "its SHA-256 differs" in refused(capsys, 65, "r.json")


def test_what_is_no_run_is_refused(folder: Path, capsys: Out) -> None:
    assert "not a table of signals" in refused(capsys, 65, "data.csv")
    assert "is no record of a run" in refused(capsys, 65, "metrics.json")
    assert "not found" in refused(capsys, 66, "nothing.json")
    assert "RUN" in refused(capsys, 2)


def test_findings_of_the_checks_are_a_reason_to_look(sample: Path, capsys: Out) -> None:
    lines = Path("data.csv").read_text().splitlines()
    lines[7] = lines[6]
    Path("data.csv").write_text("\n".join([*lines, ""]))
    assert command("run", "--set=checks.duplicates=warn", "--record=r.json", "--signals=s.csv") == 0
    trust = evaluated(capsys, "r.json")["verdicts"]["trust"]
    assert trust == {"verdict": "look", "why": ["the check duplicates found 1 bar"]}


def test_history_in_parts_has_the_same_figures(folder: Path, capsys: Out) -> None:
    head, *rows = Path("data.csv").read_text().splitlines(keepends=True)
    Path("parts").mkdir()
    for number in range(4):
        part = rows[number * BARS // 4 : (number + 1) * BARS // 4]
        Path(f"parts/{number}.csv").write_text(head + "".join(part))
    assert command("run", "--input=parts", "--signals=s", "--partition-by=date") == 0
    whole, parts = evaluated(capsys, "s.csv"), evaluated(capsys, "s")
    assert whole["run"].pop("path") == "s.csv"
    assert parts["run"].pop("path") == "s"
    assert parts == whole
