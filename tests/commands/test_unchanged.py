"""--if-changed runs nothing twice, and runs whenever anything that counts has changed."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.records import forged
from tests.support.shell import BARS, CONFIG, Recorded, published


class Again(Recorded):
    """A job that has run, and may run again; the log says if it did."""

    def ran(self, *more: str, code: int = 0, **paths: object) -> bool:
        before = len(self.events())
        assert self.run("--if-changed", *more, **paths) == code
        messages = self.events()[before:]
        skipped = any("nothing changed" in line for line in messages)
        assert skipped != any("config verified" in line for line in messages) or code
        assert "job ended" in messages[-1]
        return not skipped


@pytest.fixture
def files(tmp_path: Path) -> Again:
    files = Again(tmp_path)
    assert files.run() == 0
    return files


def test_a_run_that_nothing_has_changed_for_gives_the_former_metrics(
    files: Again, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    left = [(path.stat().st_mtime_ns, path.read_bytes()) for path in (files.output, files.record)]
    capsysbinary.readouterr()
    assert not files.ran()
    assert published(capsysbinary.readouterr().out.decode()) == files.metrics()
    now = [(path.stat().st_mtime_ns, path.read_bytes()) for path in (files.output, files.record)]
    assert now == left


def test_without_the_flag_a_run_runs(files: Again) -> None:
    before = files.output.stat().st_mtime_ns
    assert files.run() == 0
    assert files.output.stat().st_mtime_ns > before


def test_the_first_run_runs(tmp_path: Path) -> None:
    files = Again(tmp_path)
    files.log.touch()
    files.log.write_text("")
    assert files.run("--if-changed") == 0
    assert files.metrics()["status"] == "success"


def test_the_flag_needs_a_record(tmp_path: Path) -> None:
    files = Again(tmp_path)
    assert super(Recorded, files).run("--if-changed") == 2


def changed_bars(files: Again) -> None:
    # As long as before, and with its former time of change.
    status = files.input.stat()
    files.input.write_text(BARS.replace("4", "5"))
    os.utime(files.input, ns=(status.st_atime_ns, status.st_mtime_ns))


def changed_window(files: Again) -> None:
    files.config.write_text(CONFIG.replace("window: 2", "window: 3"))


def changed_version(files: Again) -> None:
    files.config.write_text(CONFIG.replace("v1", "v2"))


def removed_metrics(files: Again) -> None:
    files.output.unlink()


def changed_metrics(files: Again) -> None:
    files.output.write_text(files.output.read_text().replace("success", "failure"))


def removed_record(files: Again) -> None:
    files.record.unlink()


def damaged_record(files: Again) -> None:
    files.record.write_text(files.record.read_text()[:-9])


def other_program(files: Again) -> None:
    record = files.read()
    record["program"]["rollsignal"] = "0.0.1"
    files.record.write_text(forged(record))


def unfinished_record(files: Again) -> None:
    record = files.read()
    record["status"] = "running"
    files.record.write_text(forged(record))


@pytest.mark.parametrize(
    "change",
    [
        changed_bars,
        changed_window,
        changed_version,
        removed_metrics,
        changed_metrics,
        removed_record,
        damaged_record,
        other_program,
        unfinished_record,
    ],
)
def test_a_change_runs_the_job_once(files: Again, change: Callable[[Again], None]) -> None:
    change(files)
    assert files.ran()
    assert not files.ran()


def test_a_touched_file_and_a_comment_in_the_config_change_nothing(files: Again) -> None:
    os.utime(files.input, ns=(1, 1))
    os.utime(files.output, ns=(1, 1))
    files.config.write_text("# The same.\nwarmup: exclude\n" + CONFIG)
    assert not files.ran()


def test_another_output_runs_the_job(files: Again) -> None:
    summary = files.folder / "s.csv"
    assert files.ran(f"--summary={summary}")
    assert not files.ran(f"--summary={summary}")
    summary.unlink()
    assert files.ran(f"--summary={summary}")


def test_a_new_file_in_a_folder_runs_the_job(files: Again) -> None:
    bars = files.folder / "bars"
    bars.mkdir()
    (bars / "a.csv").write_text("date,close\n2024-01-01,1\n2024-01-02,2\n")
    assert files.ran(input=bars)
    assert not files.ran(input=bars)
    (bars / "b.csv").write_text("date,close\n2024-01-03,1\n2024-01-04,2\n")
    assert files.ran(input=bars)


def test_a_failed_run_is_run_again(files: Again) -> None:
    files.input.write_text("close\nx\n")
    assert files.ran(code=65)
    assert files.ran(code=65)


def test_inputs_left_alone_for_long_are_not_read(
    files: Again, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = files.read()
    # As if the run had begun long after its input was written.
    record["process"]["started"] = "2100-01-01T00:00:00.000Z"
    record["inputs"][0]["file"]["sha256"] = "0" * 64
    files.record.write_text(forged(record))
    assert not files.ran()
    record["inputs"][0]["file"]["size"] += 1
    files.record.write_text(forged(record))
    assert files.ran()


def test_nothing_is_decided(files: Again, monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: object) -> None:
        raise AssertionError

    monkeypatch.setattr("rollsignal.engines.local.LocalEngine.decide", never)
    assert not files.ran()
