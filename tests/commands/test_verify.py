"""A record is compared with the present files, point by point."""

from __future__ import annotations

import os
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from rollsignal.analysis.spot_check import KeptSignals, draw
from rollsignal.commands import verify as derivation
from rollsignal.commands.verify import verify
from rollsignal.engines import inputs as engine_inputs
from tests.support.records import forged
from tests.support.shell import BARS, CONFIG, ROOT, Recorded, command, snapshot, strict_json


def failing(files: Recorded, sample: int = 0) -> dict[str, dict[str, Any]]:
    """Verify a record; return the points that do not hold, by name and the name of their file."""
    before = snapshot(files.folder)
    verified = verify(str(files.record), sample)
    assert snapshot(files.folder) == before
    points: Any = verified.document["points"]
    wrong = [point for point in points if not point["holds"]]
    assert verified.document["holds"] == (not wrong)
    assert verified.exit_code == (65 if wrong else 0)
    return {
        f"{point['point']} {Path(point['of']).name if point['of'] else ''}".strip(): point
        for point in wrong
    }


def recorded(folder: Path, *flags: str, bars: str = BARS, config: str = CONFIG) -> Recorded:
    files = Recorded(folder, bars, config)
    assert files.run(*flags) == 0
    return files


def test_what_has_not_changed_holds(tmp_path: Path, capsysbinary: Any) -> None:
    files = recorded(
        tmp_path, f"--signals={tmp_path / 's.csv'}", f"--summary={tmp_path / 's.json'}"
    )
    capsysbinary.readouterr()
    assert command("verify", str(files.record), "--sample=3", "--engine=local") == 0
    report = strict_json(capsysbinary.readouterr().out.decode())
    assert report["holds"] is True
    assert {point["point"] for point in report["points"]} == {
        *("status", "program", "config", "inputs", "input", "tally", "series", "digest"),
        *("sample", "output"),
    }
    assert sum(point["point"] == "output" for point in report["points"]) == 3


def rewritten(files: Recorded) -> None:
    files.input.write_text(BARS.replace("4", "0"))


def reformatted(files: Recorded) -> None:
    files.input.write_text(BARS.replace("4", "4.0"))


def gone(files: Recorded) -> None:
    files.input.unlink()


def other_window(files: Recorded) -> None:
    files.config.write_text(CONFIG.replace("window: 2", "window: 3"))


def commented(files: Recorded) -> None:
    files.config.write_text("# The same.\n" + CONFIG + "warmup: exclude\n")


def no_config(files: Recorded) -> None:
    files.config.unlink()


def no_metrics(files: Recorded) -> None:
    files.output.unlink()


def other_metrics(files: Recorded) -> None:
    files.output.write_text(files.output.read_text().replace("0.5714", "0.5715"))


def touched(files: Recorded) -> None:
    for path in (files.input, files.output, files.config):
        os.utime(path, ns=(1, 1))


@pytest.mark.parametrize(
    ("change", "points"),
    [
        (rewritten, {"input bars.csv", "tally", "digest"}),
        (reformatted, {"input bars.csv"}),
        (gone, {"input bars.csv", "derivation"}),
        (other_window, {"config config.yaml"}),
        (commented, set()),
        (no_config, {"config config.yaml"}),
        (no_metrics, {"output metrics.json"}),
        (other_metrics, {"output metrics.json"}),
        (touched, set()),
    ],
)
def test_only_what_a_change_concerns_does_not_hold(
    tmp_path: Path, change: Callable[[Recorded], None], points: set[str]
) -> None:
    files = recorded(tmp_path)
    change(files)
    assert set(failing(files)) == points


def test_a_new_file_in_a_folder_of_inputs_is_found(tmp_path: Path) -> None:
    bars = tmp_path / "bars"
    bars.mkdir()
    (bars / "a.csv").write_text(BARS)
    files = Recorded(tmp_path)
    assert files.run(input=bars) == 0
    assert failing(files) == {}
    (bars / "b.csv").write_text(BARS)
    assert failing(files)["inputs"]["found"] == [str(bars / "a.csv"), str(bars / "b.csv")]


def test_outputs_in_the_folder_of_inputs_are_not_new_inputs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = Recorded(tmp_path)
    monkeypatch.chdir(tmp_path)
    assert files.run(input=".") == 0
    assert failing(files) == {}


def test_another_program_or_another_digest_does_not_hold(tmp_path: Path) -> None:
    files = recorded(tmp_path)
    record = files.read()
    record["program"]["rollsignal"] = "0.0.1"
    record["digest"] = "0" * 32
    record["tally"]["ties"] += 1
    record["series"] = 2
    files.record.write_text(forged(record))
    assert set(failing(files)) == {"program", "digest", "tally", "series"}


def test_the_settings_of_the_record_are_those_that_are_derived_with(tmp_path: Path) -> None:
    more = (
        "missing: gap\nwarmup: zero\nsort: true\nchecks: {duplicates: warn}\n"
        "columns: {close: ' Préis: \"x\" ', timestamp: 'on', symbol: {from: filename}}\n"
    )
    bars = (
        'on,"Préis: ""x"""\n2024-01-02,3\n2024-01-01,1\n2024-01-02,\n2024-01-04,2\n2024-01-05,3\n'
    )
    files = recorded(tmp_path, bars=bars, config=CONFIG + more)
    assert failing(files, sample=10) == {}


def test_standard_input_cannot_be_read_again(tmp_path: Path) -> None:
    files = Recorded(tmp_path)
    bars, files.input = files.input, Path("-")
    assert files.process(f"--record={files.record}", input=BARS).returncode == 0
    files.input = bars
    wrong = failing(files)
    assert set(wrong) == {"input -", "derivation -"}
    assert {point["found"] for point in wrong.values()} == {"standard input cannot be read again"}


def test_standard_input_is_not_the_file_of_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = Recorded(tmp_path)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "-").write_text(BARS.replace("4", "0"))
    files.input = Path("-")
    assert files.process(f"--record={files.record}", input=BARS).returncode == 0
    assert files.read()["inputs"][0]["file"]["sha256"] is None
    assert set(failing(files)) == {"input -", "derivation -"}


def test_a_run_that_failed_is_reported_and_not_decided_again(tmp_path: Path) -> None:
    files = Recorded(tmp_path, "close\nx\n")
    assert files.run() == 65
    (point,) = failing(files).values()
    assert point["found"].startswith("error 65: ")


def test_a_run_that_is_going_on_is_not_reported_as_dead(tmp_path: Path) -> None:
    files = Recorded(tmp_path)
    files.input = Path("-")
    with files.start(f"--record={files.record}") as process:
        assert failing(files)["status"]["found"].endswith(" is running")
        process.kill()
    message = f"process {process.pid} on {os.uname().nodename} did not end"
    assert failing(files)["status"]["found"] == message


NO_SCHEMA = 'it has no "schema" urn:rollsignal:schema:record:2'


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "it is empty"),
        ("{}", NO_SCHEMA),
        ("[]", "it is no JSON object"),
        ('{"schema": "other"}', NO_SCHEMA),
        ('{"schema": []}', NO_SCHEMA),
        ("nonsense", "not JSON at line 1, character 1"),
        ('{"schema":\n "', "not JSON at line 2, character 2"),
        ("\udcff{}", "it is no text"),
        ("[" * 10_000, "it is nested too deeply, or has too long a number"),
        ("9" * 5_000, "it is nested too deeply, or has too long a number"),
    ],
)
def test_a_file_that_is_not_a_record_is_refused_in_plain_words(
    tmp_path: Path, text: str, why: str, capsysbinary: Any
) -> None:
    path = tmp_path / "record.json"
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    assert command("verify", str(path)) == 65
    message = f"{path} is no record of a run: {why} (name the file that --record wrote)"
    assert message in capsysbinary.readouterr().err.decode()


@pytest.mark.parametrize(
    ("place", "value", "what"),
    [
        ("tally", None, "tally is null, not an object"),
        ("config", {}, "config.seed is missing"),
        ("series", True, "series is true, not a whole number"),
        ("outputs", [{}], "outputs[0].path is missing"),
        ("process", "x" * 50, f'process is "{"x" * 39}…, not an object'),
        ("status", "done", 'status is "done", not running or success or error'),
        ("digest", "abc", 'digest is "abc", which cannot stand there'),
        ("more", 1, "more is unknown"),
    ],
)
def test_a_damaged_record_is_refused_with_what_is_wrong_where(
    tmp_path: Path, place: str, value: object, what: str, capsysbinary: Any
) -> None:
    files = recorded(tmp_path)
    files.record.write_text(forged(files.read() | {place: value}))
    assert command("verify", str(files.record)) == 65
    hint = "(put a copy in its place, or run again with --record)"
    messages = capsysbinary.readouterr().err.decode()
    assert f"{files.record} is damaged: {what} {hint}" in messages


def test_a_record_of_another_version_is_not_reported_as_damaged(
    tmp_path: Path, capsysbinary: Any
) -> None:
    files = recorded(tmp_path)
    files.record.write_text('{"schema": "urn:rollsignal:schema:record:3"}')
    assert command("verify", str(files.record)) == 65
    messages = capsysbinary.readouterr().err.decode()
    assert "is a record of version '3', which rollsignal" in messages


def test_a_record_with_a_part_missing_is_refused(tmp_path: Path) -> None:
    files = recorded(tmp_path)
    record = files.read()
    for name in record:
        files.record.write_text(forged({key: record[key] for key in record if key != name}))
        newer = ("dropped", "waiting", "newest_bar", "lagging", "stages_at_ms", "metrics")
        if name not in ("series", "digest", "warnings", "stages_ms", *newer):
            assert command("verify", str(files.record)) == 65, name


def test_no_record_at_all_is_exit_66(tmp_path: Path) -> None:
    assert command("verify", str(tmp_path / "none")) == 66


@pytest.mark.parametrize("flags", [["--sample=-1"], ["--engine=sparks"]])
def test_wrong_flags_are_refused(tmp_path: Path, flags: list[str]) -> None:
    assert command("verify", str(tmp_path / "none"), *flags) == 2


# What --sample decides again.


def test_a_sample_finds_a_signal_that_is_wrong(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = recorded(tmp_path)

    class Wrong(KeptSignals):
        def add(self, ended: bytes) -> None:
            super().add(ended)
            self.found[4] ^= 1

    monkeypatch.setattr(derivation, "KeptSignals", Wrong)
    (point,) = failing(files, sample=100).values()
    assert (point["point"], point["found"]) == ("sample", "another signal: bar 5")


PANEL = "date,symbol,close\n" + "".join(
    f"2024-01-01T00:{minute:02}:00,{symbol},{Fraction(minute * minute % 7, 4).__float__()}\n"
    for minute in range(60)
    for symbol in ("A", "B")
)


@pytest.mark.parametrize("missing", ["skip", "gap"])
@pytest.mark.parametrize("shape", ["one", "panel", "sorted"])
def test_a_sample_of_all_bars_holds_whatever_the_bars_are(
    tmp_path: Path, missing: str, shape: str
) -> None:
    bars = {"one": "symbol,close\n,1\n,0.5\n,2\n,3\n,4\n,3\n", "panel": PANEL, "sorted": PANEL}[
        shape
    ]
    if shape == "sorted":
        header, *rows = PANEL.splitlines()
        bars = "\n".join([header, *sorted(rows, key=lambda row: row[::-1])]) + "\n"
    config = CONFIG + f"missing: {missing}\nsort: {'true' if shape == 'sorted' else 'false'}\n"
    config += f"columns: {{symbol: {'none' if shape == 'one' else 'symbol'}}}\n"
    holes = bars.replace(",0.5\n", ",\n")
    assert failing(recorded(tmp_path, bars=holes, config=config), sample=1000) == {}


def test_a_sample_of_arrays_holds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine_inputs, "LARGE_BYTES", 0)
    files = recorded(tmp_path, bars=(ROOT / "data.csv").read_text())
    assert failing(files, sample=10_000) == {}
    path = tmp_path / "bars.parquet"
    pl.read_csv(files.input).write_parquet(path)
    digest = files.read()["digest"]
    assert files.run(input=path) == 0
    assert files.read()["digest"] == digest
    assert failing(files, sample=10_000) == {}


def test_a_draw_is_the_seeds_and_of_every_symbol() -> None:
    rows = {"B": 1000, "A": 1000, "C": 2}
    drawn = draw(rows, 5, seed=1)
    assert drawn == draw(dict(sorted(rows.items())), 5, seed=1) != draw(rows, 5, seed=2)
    assert {symbol: len(numbers) for symbol, numbers in drawn.items()} == {"A": 5, "B": 5, "C": 2}
    assert drawn["C"] == {1, 2}
    assert set().union(*drawn.values()) <= set(range(1, 1001))
