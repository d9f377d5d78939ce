"""Facts about the log: each event is one line, and a log never stops a job."""

from __future__ import annotations

import os
import re
import resource
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rollsignal.config.request import LogFormat
from rollsignal.outputs.log import RunLog
from tests.support.shell import Heard, strict_json

LINE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z (INFO   |WARNING|ERROR  ) \S.*")
NASTY = "a\nb\r\x1b[31m\x85\u2028\x00\x9b\u202e'\"=\\ \udcff"


@contextmanager
def opened(
    path: Path, log_format: LogFormat = "text", heard: Heard | None = None
) -> Iterator[RunLog]:
    log = RunLog(str(path), log_format, Heard() if heard is None else heard)
    yield log
    log.close()


def lines(path: Path) -> list[str]:
    *complete, rest = path.read_bytes().decode().split("\n")
    assert rest == ""
    return complete


def without_time(path: Path) -> list[str]:
    assert all(LINE.fullmatch(line) for line in lines(path))
    return [line.partition(" ")[2] for line in lines(path)]


def test_an_event_is_a_line_of_time_level_message_and_fields(tmp_path: Path) -> None:
    with opened(tmp_path / "log") as log:
        log.event("INFO", "rows loaded", rows=10_000, input="data.csv")
        log.record("WARNING", "closes missing", policy=None)
        log.record("ERROR", "job failed")
    assert without_time(tmp_path / "log") == [
        "INFO    rows loaded rows=10000 input=data.csv",
        "WARNING closes missing policy=null",
        "ERROR   job failed",
    ]


@pytest.mark.parametrize("log_format", ["text", "json"])
def test_the_time_of_an_event_is_in_utc_in_every_time_zone(
    tmp_path: Path, log_format: LogFormat
) -> None:
    assert time.localtime().tm_gmtoff != 0
    before = datetime.now(UTC) - timedelta(milliseconds=1)
    with opened(tmp_path / "log", log_format) as log:
        log.record("INFO", "now")
    stamp = re.search(r"[-0-9]+T[0-9:.]+Z", lines(tmp_path / "log")[0])
    assert stamp is not None
    assert before <= datetime.fromisoformat(stamp[0]) <= datetime.now(UTC)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("v1", "v1"),
        ("/data/btc-2024_01.csv", "/data/btc-2024_01.csv"),
        ("2024-01-01T00:00+00:00", "2024-01-01T00:00+00:00"),
        ("", "''"),
        ("two words", "'two words'"),
        ("a=b", "'a=b'"),
        ('say "x"', "'say \"x\"'"),
        ("a\nb", r"'a\nb'"),
        (0.25, "0.25"),
        (-3, "-3"),
        ("Größe", "Größe"),
    ],
)
def test_a_field_that_could_be_misread_is_quoted(
    tmp_path: Path, value: object, expected: str
) -> None:
    with opened(tmp_path / "log") as log:
        log.record("INFO", "it", is_=value)
    assert without_time(tmp_path / "log") == [f"INFO    it is_={expected}"]


@pytest.mark.parametrize("log_format", ["text", "json"])
@given(text=st.text() | st.just(NASTY))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_each_event_is_one_printable_line_whatever_its_text(
    tmp_path: Path, log_format: LogFormat, text: str
) -> None:
    (tmp_path / "log").unlink(missing_ok=True)
    with opened(tmp_path / "log", log_format) as log:
        log.event("INFO", "job started", input=text)
        log.event("ERROR", text)
    logged = lines(tmp_path / "log")
    assert len(logged) == 2
    assert all(line.isprintable() for line in logged)
    if log_format == "json":
        assert [strict_json(line)["level"] for line in logged] == ["INFO", "ERROR"]


def test_control_and_escape_characters_are_escaped_in_a_message(tmp_path: Path) -> None:
    with opened(tmp_path / "log") as log:
        log.record("WARNING", "close is \x1b[2J\r\n2030-01-01T00:00:00.000Z INFO all is well")
    assert without_time(tmp_path / "log") == [
        r"WARNING close is \x1b[2J\r\n2030-01-01T00:00:00.000Z INFO all is well"
    ]


def test_a_json_event_has_the_standard_names_first_and_then_its_fields(
    tmp_path: Path,
) -> None:
    with opened(tmp_path / "log", "json") as log:
        log.event("INFO", "rows loaded", rows=10_000, last=0.25, none=None, name="a\n\x1b é")
    (line,) = lines(tmp_path / "log")
    event = strict_json(line)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", event.pop("timestamp"))
    assert list(event.items()) == [
        ("level", "INFO"),
        ("logger", "rollsignal"),
        ("message", "rows loaded"),
        ("rows", 10_000),
        ("last", 0.25),
        ("none", None),
        ("name", "a\n\x1b é"),
    ]


def test_tell_receives_events_but_not_records(tmp_path: Path) -> None:
    heard = Heard()
    with opened(tmp_path / "log", heard=heard) as log:
        log.event("INFO", "rows loaded", rows=3, dialect="utf-8, comma")
        log.record("ERROR", "job failed")
        log.traceback("one")
    assert heard == [("INFO", "rows loaded rows=3 dialect='utf-8, comma'")]


def test_each_line_of_a_traceback_is_an_event(tmp_path: Path) -> None:
    with opened(tmp_path / "log") as log:
        log.traceback("Traceback:\n  File 'x'\nValueError: \x1b[2J\n")
    assert without_time(tmp_path / "log") == [
        "ERROR   traceback: Traceback:",
        "ERROR   traceback:   File 'x'",
        r"ERROR   traceback: ValueError: \x1b[2J",
    ]


def test_lines_are_added_to_an_existing_log(tmp_path: Path) -> None:
    (tmp_path / "log").write_text("what was there\n")
    for run in ("first", "second"):
        with opened(tmp_path / "log") as log:
            log.record("INFO", run)
    assert [line.split()[-1] for line in lines(tmp_path / "log")] == ["there", "first", "second"]


def test_runs_that_share_a_log_do_not_overwrite_each_other(tmp_path: Path) -> None:
    with opened(tmp_path / "log") as first, opened(tmp_path / "log") as second:
        for number in range(5):
            first.record("INFO", "x" * 1000 + str(number))
            second.record("INFO", "y" * 500 + str(number))
    messages = [line.split()[-1] for line in lines(tmp_path / "log")]
    assert messages == [text + str(n) for n in range(5) for text in ("x" * 1000, "y" * 500)]


def test_the_folder_of_a_log_is_made(tmp_path: Path) -> None:
    with opened(tmp_path / "no/such/log") as log:
        log.record("INFO", "here")
    assert without_time(tmp_path / "no/such/log") == ["INFO    here"]


def test_a_log_in_the_working_folder_needs_no_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with opened(Path("log")) as log:
        log.record("INFO", "here")
    assert without_time(tmp_path / "log") == ["INFO    here"]


def test_without_a_path_there_is_no_file_but_tell_receives_events() -> None:
    heard = Heard()
    log = RunLog(None, "text", heard)
    log.event("INFO", "job started")
    log.close()
    assert heard == [("INFO", "job started")]


def make_file(path: Path) -> str:
    path.write_text("in the way")
    return "Not a directory|File exists"


def make_folder(path: Path) -> str:
    (path / "log").mkdir(parents=True)
    return "Is a directory"


def make_pipe_nobody_reads(path: Path) -> str:
    path.mkdir()
    os.mkfifo(path / "log")
    return "No such device or address"


@pytest.mark.parametrize("obstacle", [make_file, make_folder, make_pipe_nobody_reads])
def test_a_log_that_cannot_be_opened_is_reported_once_and_does_not_stop_the_job(
    tmp_path: Path, obstacle: object
) -> None:
    assert callable(obstacle)
    reason = obstacle(tmp_path / "at")
    heard = Heard()
    with opened(tmp_path / "at/log", heard=heard) as log:
        log.event("INFO", "job started")
        log.event("INFO", "job ended")
    (level, text), *events = heard
    assert level == "WARNING"
    assert re.fullmatch(rf"the log cannot be written: ({reason}); the job goes on without it", text)
    assert events == [("INFO", "job started"), ("INFO", "job ended")]


def test_a_log_with_an_impossible_path_does_not_stop_the_job() -> None:
    heard = Heard()
    log = RunLog("nul\0byte", "text", heard)
    log.event("INFO", "job started")
    assert [level for level, _ in heard] == ["WARNING", "INFO"]


def test_a_log_that_fails_midway_is_reported_once_and_does_not_stop_the_job(tmp_path: Path) -> None:
    heard = Heard()
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    with opened(tmp_path / "log", heard=heard) as log:
        log.event("INFO", "first")
        size = (tmp_path / "log").stat().st_size
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
        try:
            log.event("INFO", "second")
            log.event("INFO", "third")
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert without_time(tmp_path / "log") == ["INFO    first"]
    assert [text.partition(":")[0] for _, text in heard] == [
        "first",
        "the log cannot be written",
        "second",
        "third",
    ]


def test_closing_a_log_leaves_nothing_open_and_may_be_done_twice(tmp_path: Path) -> None:
    with opened(tmp_path / "log") as log:
        log.close()
        assert descriptors_of(tmp_path / "log") == []


def test_a_log_is_not_inherited_by_other_programs(tmp_path: Path) -> None:
    with opened(tmp_path / "log"):
        (descriptor,) = descriptors_of(tmp_path / "log")
        assert not os.get_inheritable(descriptor)


def descriptors_of(path: Path) -> list[int]:
    descriptors = []
    for descriptor in range(256):
        with suppress(OSError):
            if os.path.samestat(os.fstat(descriptor), path.stat()):
                descriptors.append(descriptor)
    return descriptors
