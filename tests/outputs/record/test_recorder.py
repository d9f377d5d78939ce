"""The record of a run tells the truth about it, however it ended."""

from __future__ import annotations

import hashlib
import os
import signal
from pathlib import Path
from typing import Any

import pytest

from rollsignal import __version__
from rollsignal.readers.text import TextReader
from tests.support.shell import CONFIG, STAMPED, Job, Recorded, command


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_a_success_tells_what_was_read_and_found(tmp_path: Path) -> None:
    files = Recorded(tmp_path)
    assert files.run() == 0
    record = files.read()
    assert (record["status"], record["error"], record["series"]) == ("success", None, 1)
    assert record["tally"] == {"rows": 8, "missing": 0, "signals": 7, "ones": 4, "ties": 1}
    (read,) = record["inputs"]
    assert read["file"]["path"] == str(files.input)
    assert read["file"]["size"] == files.input.stat().st_size
    assert read["file"]["sha256"] == read["sha256_after"] == sha256(files.input)
    assert (read["rows"], read["form"][:12]) == (8, "utf-8, comma")
    (written,) = record["outputs"]
    assert (written["path"], written["sha256"]) == (str(files.output), sha256(files.output))
    assert record["program"]["rollsignal"] == __version__
    assert record["process"]["id"] == os.getpid()
    assert record["process"]["started"] <= record["process"]["ended"]
    assert {"config", "hash_inputs", "decide", "write"} <= set(record["stages_ms"])


def test_a_setting_has_the_line_it_is_from_or_none(tmp_path: Path) -> None:
    config = CONFIG + "\ncolumns:\n  symbol: {from: filename}\n"
    files = Recorded(tmp_path, config=config)
    assert files.run() == 0
    settings = files.read()["config"]
    assert settings["window"] == {"value": 2, "line": 2, "source": None}
    assert settings["warmup"] == {"value": "exclude", "line": None, "source": None}
    in_line_6 = {"value": {"from": "filename"}, "line": 6, "source": None}
    assert settings["columns.symbol"] == in_line_6


def test_a_setting_of_the_command_line_is_recorded_and_verified_as_such(tmp_path: Path) -> None:
    files = Recorded(tmp_path)
    given = ["--set", "window=3", "--set", "columns.symbol={from: filename}"]
    assert files.run(*given) == 0
    record = files.read()
    on_line = {"line": None, "source": "command line"}
    assert record["config"]["window"] == {"value": 3, **on_line}
    assert record["config"]["columns.symbol"] == {"value": {"from": "filename"}, **on_line}
    assert record["asked"]["set"] == given[1::2]
    assert command("verify", str(files.record)) == 0
    assert files.run(*given, "--if-changed") == 0
    assert files.read() == record, "nothing had changed"
    assert files.run("--if-changed") == 0
    assert files.read()["config"]["window"]["value"] == 2


def test_equal_runs_have_equal_digests_and_others_others(tmp_path: Path) -> None:
    files = Recorded(tmp_path)
    digests = []
    for bars in ("close\n1\n2\n3\n", "close;x\n1.0;\n2;\n3;\n", "close\n1\n2\n1\n"):
        files.input.write_text(bars)
        assert files.run() == 0
        digests.append(files.read()["digest"])
    assert digests[0] == digests[1] != digests[2]


def test_the_digest_is_the_same_with_signals_written(tmp_path: Path) -> None:
    files = Recorded(tmp_path)
    assert files.run() == 0
    digest = files.read()["digest"]
    assert files.run(f"--signals={tmp_path / 's.csv'}", f"--summary={tmp_path / 's.json'}") == 0
    assert files.read()["digest"] == digest
    written = {one["path"]: one["sha256"] for one in files.read()["outputs"]}
    outputs = (files.output, tmp_path / "s.csv", tmp_path / "s.json")
    assert written == {str(path): sha256(path) for path in outputs}


def test_every_part_of_a_folder_of_signals_is_an_output(tmp_path: Path) -> None:
    bars = "date,close,symbol\n" + "".join(
        f"2024-01-0{day},{day},{symbol}\n" for symbol in "AB" for day in (1, 2)
    )
    files = Recorded(tmp_path, bars, CONFIG + "columns: {symbol: symbol}\n")
    parts = tmp_path / "parts"
    assert files.run(f"--signals={parts}", "--partition-by=symbol") == 0
    paths = {one["path"] for one in files.read()["outputs"]}
    assert paths == {str(path) for path in parts.rglob("*.parquet")} | {str(files.output)}
    assert files.read()["series"] == 2


def test_parts_of_earlier_runs_are_no_outputs_of_others(tmp_path: Path) -> None:
    bars = "date,close,symbol\n2024-01-01,1,A\n2024-01-02,2,A\n"
    files = Recorded(tmp_path, bars, CONFIG + "columns: {symbol: symbol}\n")
    flags = f"--signals={tmp_path / 'parts'}", "--partition-by=symbol"
    assert files.run(*flags) == 0
    (tmp_path / "parts" / "symbol=A" / "signals.csv").touch()
    assert files.run(*flags) == 0
    assert len(files.read()["outputs"]) == 2
    files.input.write_text("nothing")
    assert files.run(*flags) == 65
    assert [one["path"] for one in files.read()["outputs"]] == [str(files.output)]


def test_what_a_check_warned_of_is_recorded(tmp_path: Path) -> None:
    files = Recorded(tmp_path, STAMPED, CONFIG + "checks: {duplicates: warn}\n")
    assert files.run() == 0
    record = files.read()
    found = record["checks"]["duplicates"]
    assert (found["level"], found["found"], found["first"][0]["row"]) == ("warn", 1, 4)
    assert any("duplicates" in warning for warning in record["warnings"])


@pytest.mark.parametrize(
    ("bars", "config", "code"),
    [("close\n1\nx\n", CONFIG, 65), ("close\n1\n2\n", "window: 0\n", 78)],
)
def test_a_failure_has_its_exit_code_and_message(
    tmp_path: Path, bars: str, config: str, code: int
) -> None:
    files = Recorded(tmp_path, bars, config)
    assert files.run() == code
    record = files.read()
    assert (record["status"], record["digest"], record["tally"]) == ("error", None, None)
    assert record["error"]["exit_code"] == code
    assert str(files.metrics()["error_message"]) in record["error"]["message"]
    assert (record["config"] is None) == (code == 78)
    assert [one["path"] for one in record["outputs"]] == [str(files.output)]


def test_a_missing_input_is_recorded_as_asked_for(tmp_path: Path) -> None:
    files = Recorded(tmp_path)
    assert files.run(input=tmp_path / "none.csv") == 66
    record = files.read()
    assert record["error"]["exit_code"] == 66
    assert record["asked"]["inputs"] == [str(tmp_path / "none.csv")]
    assert record["inputs"][0]["file"]["sha256"] is None


def test_an_input_that_changes_while_it_is_read_fails_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = Recorded(tmp_path)
    read = TextReader.batches

    def and_written(reader: TextReader) -> Any:
        yield from read(reader)
        # As long as before, and within one step of the clock.
        files.input.write_text(files.input.read_text().replace("4", "5"))

    monkeypatch.setattr(TextReader, "batches", and_written)
    assert files.run() == 74
    assert files.metrics()["error_message"] == "Input data file changed while it was read"
    (one,) = files.read()["inputs"]
    assert one["compared_by"] == "sha256"
    assert one["sha256_after"] == sha256(files.input) != one["file"]["sha256"]
    assert files.read()["digest"]


def test_standard_input_has_rows_and_no_hash(tmp_path: Path) -> None:
    files = Recorded(tmp_path)
    files.input = Path("-")
    done = files.process(f"--record={files.record}", input="close\n1\n2\n")
    assert done.returncode == 0, done.stderr
    (one,) = files.read()["inputs"]
    assert (one["file"]["path"], one["file"]["sha256"], one["rows"]) == ("-", None, 2)


def test_a_killed_run_leaves_running_and_the_next_one_says_so(tmp_path: Path) -> None:
    files = Recorded(tmp_path)
    bars, files.input = files.input, Path("-")
    with files.start(f"--record={files.record}") as process:
        record = files.read()
        assert (record["status"], record["process"]["id"]) == ("running", process.pid)
        process.kill()
    assert process.returncode == -signal.SIGKILL
    assert files.read() == record
    files.input = bars
    assert files.run() == 0
    told = f"the run before (process {process.pid} on {os.uname().nodename}) did not end"
    assert any(told in line and "WARNING" in line for line in files.events())
    assert told in files.read()["warnings"]
    assert files.read()["status"] == "success"


def test_a_stopped_run_is_recorded_as_an_error(tmp_path: Path) -> None:
    files = Recorded(tmp_path)
    files.input = Path("-")
    with files.start(f"--record={files.record}") as process:
        process.terminate()
        process.communicate()
    assert process.returncode == 143
    assert files.read()["error"]["exit_code"] == 143


def test_a_record_that_cannot_be_written_fails_the_run(tmp_path: Path) -> None:
    files = Recorded(tmp_path)
    files.record.mkdir()
    assert files.run() == 73
    assert files.metrics()["status"] == "error"


def test_a_record_is_no_other_file_of_the_run(tmp_path: Path) -> None:
    files = Recorded(tmp_path)
    before = files.input.read_bytes()
    assert files.run(record=files.input) == 2
    assert Job.run(files, f"--record={files.input}") == 2
    assert files.input.read_bytes() == before


def test_no_part_of_the_environment_is_recorded(tmp_path: Path) -> None:
    secret = os.environ["ROLLSIGNAL_TEST_TOKEN"]
    files = Recorded(tmp_path)
    assert files.run() == 0
    assert secret not in files.record.read_text()
    assert "TOKEN" not in files.record.read_text()
