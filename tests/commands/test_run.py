"""Facts about a run: what it reads, writes and reports, and what it never touches."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from time import perf_counter

import pytest

from rollsignal import __version__
from rollsignal.commands.dry_run import dry_run
from rollsignal.commands.leaving import Outcome, fail
from rollsignal.commands.run import run
from rollsignal.config.reading import load_config
from rollsignal.config.request import Request
from rollsignal.core.bars import Batch
from rollsignal.core.findings import UNTIMED
from rollsignal.errors import (
    ConfigError,
    DataError,
    InputError,
    JobError,
    OutputError,
    StoppedError,
    UsageError,
)
from rollsignal.messages import LogLevel
from rollsignal.readers.text import TextReader
from tests.support.shell import (
    BARS,
    CONFIG,
    SUCCESS,
    TIMED,
    Heard,
    Job,
    error,
    snapshot,
    strict_json,
)


def outcome_of(request: Request, heard: Heard | None = None) -> Outcome:
    return run(request, perf_counter(), Heard() if heard is None else heard)


def names(events: list[str]) -> list[str]:
    """Return the messages of log lines, without time, level and fields."""
    return [re.sub(r" [\w.]+=.*", "", event[33:]) for event in events]


def settings_of(files: Job) -> list[str]:
    """Name every setting, those of a group after the group."""
    settings = []
    for name, value in load_config(str(files.config))._asdict().items():
        below = [f"{name}.{field}" for field in getattr(value, "_fields", ())]
        settings += below or [name]
    return settings


def test_a_run_leaves_the_metrics_it_returns(tmp_path: Path) -> None:
    files = Job(tmp_path)
    outcome = outcome_of(files.request)
    assert outcome.error is None
    assert files.metrics() == outcome.metrics
    metrics = dict(outcome.metrics)
    latency = metrics.pop("latency_ms")
    assert isinstance(latency, int)
    assert latency >= 0
    assert metrics == SUCCESS


def test_the_log_tells_the_story_in_the_seeds_order(tmp_path: Path) -> None:
    files = Job(tmp_path, TIMED)
    outcome_of(files.request)
    events = files.events()
    assert names(events) == [
        "job started",
        "config verified",
        "file read",
        "rows loaded",
        "rolling mean computed",
        "signals generated",
        "metrics summary",
        "job ended",
    ]
    assert all(line[25:33] == "INFO    " for line in events)
    assert f"program='rollsignal {__version__}'" in events[0]
    settings = "seed=42 window=2 version=v1 warmup=exclude missing=error "
    assert f" config verified {settings}" in events[1]
    assert re.findall(r"([\w.]+)=", events[1]) == settings_of(files)
    assert f" path={files.input} form='utf-8, comma, close from close, " in events[2]
    assert " rows=8 " in events[3]
    assert events[4].endswith(" window=2 bars=7 last=2.5")
    assert events[5].endswith(" signals=7 ones=4 ties=1")
    assert " version=v1 rows_processed=8 metric=signal_rate value=0.5714 latency_ms=" in events[6]
    assert events[6].endswith(" seed=42 status=success")
    assert re.search(r" status=success duration_ms=\d+$", events[7])


def test_times_count_from_the_start_of_the_program(tmp_path: Path) -> None:
    files = Job(tmp_path)
    outcome = run(files.request, perf_counter() - 5, Heard())
    latency = outcome.metrics["latency_ms"]
    assert isinstance(latency, int)
    assert 5_000 <= latency < 60_000
    assert int(files.events()[-1].rpartition("=")[2]) >= latency


def test_bars_without_timestamps_are_told_once_and_recorded(tmp_path: Path) -> None:
    files, heard, record = Job(tmp_path), Heard(), tmp_path / "r.json"
    outcome = outcome_of(files.request._replace(record=str(record)), heard)
    assert outcome.metrics["value"] == SUCCESS["value"]
    assert [text for level, text in heard if level == "WARNING"] == [UNTIMED]
    assert names(files.events()).count(UNTIMED) == 1
    assert strict_json(record.read_text())["warnings"] == [UNTIMED]
    files.config.write_text(CONFIG + "columns: {timestamp: none}\n")
    heard.clear()
    assert outcome_of(files.request, heard).error is None
    assert not [text for level, text in heard if level == "WARNING"]


def test_files_without_timestamps_are_told_to_be_read_as_given(tmp_path: Path) -> None:
    files, heard = Job(tmp_path, config=CONFIG + "columns: {timestamp: none}\n"), Heard()
    for number in (1, 2, 10):
        (tmp_path / f"part{number}.csv").write_text(f"close\n{number}\n")
    pattern = files.request._replace(inputs=(str(tmp_path / "part*.csv"),))
    assert outcome_of(pattern, heard).metrics["value"] == 1.0
    assert ("INFO", "files without timestamps are read in the order given") in heard


def test_a_second_run_gives_the_same_metrics_and_adds_to_the_log(tmp_path: Path) -> None:
    files = Job(tmp_path, TIMED)
    first, second = outcome_of(files.request), outcome_of(files.request)
    assert {**first.metrics, "latency_ms": 0} == {**second.metrics, "latency_ms": 0}
    events = names(files.events())
    assert events[8:] == events[:8]


def test_without_a_log_file_no_log_is_kept(tmp_path: Path) -> None:
    files = Job(tmp_path)
    heard = Heard()
    assert outcome_of(files.request._replace(log_file=None), heard).error is None
    assert sorted(os.listdir(tmp_path)) == ["bars.csv", "config.yaml", "metrics.json"]
    assert heard[0][1].startswith("job started")


def test_as_json_the_log_has_the_fields_with_their_kinds(tmp_path: Path) -> None:
    files = Job(tmp_path, TIMED)
    outcome_of(files.request._replace(log_format="json"))
    events = [strict_json(line) for line in files.events()]
    assert len(events) == 8
    assert all(list(event)[:4] == ["timestamp", "level", "logger", "message"] for event in events)
    by_name = {event["message"]: event for event in events}
    assert by_name["config verified"]["window"] == 2
    assert by_name["config verified"]["columns.timestamp"] is None
    assert by_name["rolling mean computed"]["last"] == 2.5
    assert by_name["metrics summary"]["value"] == 0.5714


@pytest.mark.parametrize(("warmup", "value"), [("exclude", 0.5714), ("zero", 0.5)])
def test_the_warm_up_is_left_out_or_counted_as_zeros(
    tmp_path: Path, warmup: str, value: float
) -> None:
    files = Job(tmp_path, config=CONFIG + f"warmup: {warmup}\n")
    assert outcome_of(files.request).metrics["value"] == value


def test_a_version_is_copied_to_the_letter_in_success_and_failure(tmp_path: Path) -> None:
    version = "v1.0 \n\x1b[31m\x7f é 🎉 \u2028 \"'\\"
    written = "".join(f"\\U{ord(character):08x}" for character in version)
    files = Job(tmp_path, config=f'seed: 42\nwindow: 2\nversion: "{written}"\n')
    outcome_of(files.request)
    assert files.metrics()["version"] == version
    files.input.unlink()
    outcome_of(files.request)
    assert files.metrics() == error(version, "Input data file not found")


def test_one_event_is_one_line_whatever_names_and_versions_hold(tmp_path: Path) -> None:
    name = "da\nta\x1b[31m\r\u2028\x85.csv"
    files = Job(tmp_path, "clo\x1bse,time\n1,2\n", 'seed: 1\nwindow: 2\nversion: "a\\nb\\e[2J"\n')
    files.input.rename(tmp_path / name)
    heard = Heard()
    request = files.request._replace(inputs=(str(tmp_path / name),))
    outcome = outcome_of(request, heard)
    assert isinstance(outcome.error, DataError)
    assert len(files.events()) == 4
    assert all(line.isprintable() for line in files.events())
    assert r"da\nta\x1b[31m\r\u2028\x85.csv" in files.events()[0]
    assert r"version='a\nb\x1b[2J'" in files.events()[1]


@pytest.mark.parametrize("content", [b"caf\xe9.csv", b"\xff"])
def test_a_name_that_is_not_utf8_is_read_and_logged(tmp_path: Path, content: bytes) -> None:
    files = Job(tmp_path)
    path = os.fsencode(tmp_path) + b"/" + content
    os.rename(files.input, path)
    outcome = outcome_of(files.request._replace(inputs=(os.fsdecode(path),)))
    assert outcome.error is None
    assert all(line.isprintable() for line in files.events())


def test_a_missing_input_leaves_the_published_error_metrics(tmp_path: Path) -> None:
    files = Job(tmp_path)
    outcome = outcome_of(files.request._replace(inputs=(str(tmp_path / "wrong.csv"),)))
    assert isinstance(outcome.error, InputError)
    assert outcome.error.exit_code == 66
    assert files.metrics() == outcome.metrics == error("v1", "Input data file not found")


def test_a_mistake_is_one_line_in_the_log_with_its_cause(tmp_path: Path) -> None:
    files = Job(tmp_path)
    files.input.unlink()
    outcome_of(files.request)
    events = files.events()
    assert names(events) == ["job started", "config verified", "job failed", "job ended"]
    assert events[2][25:33] == "ERROR   "
    assert " exit_code=66 " in events[2]
    assert f"(path: {files.input})" in events[2]
    assert re.search(r" status=error duration_ms=\d+$", events[3])
    assert "traceback" not in files.log.read_text()


BAD_DATA = {
    "an empty file": ("", "the file is empty or blank"),
    "no close column": ("open,high\n1,2\n", "no 'close' column in the header: 'open', 'high'"),
    "only a header": ("close\n", "no rows below the header"),
    "no number": ("close\n1\nn/a\n3\n", "line 3: close is 'n/a', not a number"),
    "another width": ("time,close\n1,2\n3\n", "line 3: 1 field instead of 2"),
    "an unclosed quote": ('close\n1\n"2\n3\n', "line 3: a quote opened here is never closed"),
    "a binary file": ("close\n1\n\0\n", "line 3: close is '\\x00', contains a NUL byte"),
    "fewer bars than the window": ("close\n1\n", "1 row, fewer than the window of 2 bars"),
}


@pytest.mark.parametrize(("bars", "message"), BAD_DATA.values(), ids=BAD_DATA)
def test_bad_data_leaves_error_metrics_that_say_where_and_what(
    tmp_path: Path, bars: str, message: str
) -> None:
    files = Job(tmp_path, bars)
    outcome = outcome_of(files.request)
    assert isinstance(outcome.error, DataError)
    assert outcome.error.exit_code == 65
    assert files.metrics() == outcome.metrics == error("v1", outcome.error.message)
    assert outcome.error.message.startswith(str(files.input))
    assert message in outcome.error.message


def test_a_window_that_always_holds_a_missing_close_is_an_error(tmp_path: Path) -> None:
    files = Job(tmp_path, "time,close\n2024-01-01,1\n2024-01-02,\n", CONFIG + "missing: gap\n")
    outcome_of(files.request)
    message = f"{files.input}: no window of 2 bars without a missing close"
    assert files.metrics() == error("v1", message)


def test_a_window_of_all_bars_has_one_signal(tmp_path: Path) -> None:
    files = Job(tmp_path, config=CONFIG.replace("window: 2", "window: 8"))
    assert outcome_of(files.request).metrics["value"] == 1.0


def test_a_window_longer_than_the_data_is_an_error_and_no_zero(tmp_path: Path) -> None:
    files = Job(tmp_path, config=CONFIG.replace("window: 2", "window: 9"))
    outcome = outcome_of(files.request)
    assert isinstance(outcome.error, DataError)
    assert files.metrics() == error("v1", f"{files.input}: 8 rows, fewer than the window of 9 bars")


@pytest.mark.parametrize(
    ("config", "version", "message"),
    [
        ("", "unknown", "the config is empty"),
        ("- seed\n", "unknown", "a list instead of settings"),
        ("seed: 42\nwindow: 2\nversion: 1.0\n", "unknown", 'write version: "1.0"'),
        ("seed: 42\nversion: v7\n", "v7", "missing window"),
        ("seed: 42\nwindow: 0\nversion: v7\n", "v7", "window is '0', not between"),
        (
            "seed: 42\nwindow: true\nversion: v7\n",
            "v7",
            "window is true: write a plain whole number",
        ),
        ("version: v7\nseed: 42\nwindow: 2\nwindow: 2\n", "v7", "window is given twice"),
        ("seed: 42\nwindow: 2\nversion: v7\nwindw: 2\n", "v7", "did you mean window?"),
        ("seed: [42\n", "unknown", "not valid YAML"),
    ],
)
def test_a_bad_config_leaves_error_metrics_with_its_version_if_it_can_be_read(
    tmp_path: Path, config: str, version: str, message: str
) -> None:
    files = Job(tmp_path, config=config)
    outcome = outcome_of(files.request)
    assert isinstance(outcome.error, ConfigError)
    assert outcome.error.exit_code == 78
    assert message in outcome.error.message
    assert files.metrics() == outcome.metrics == error(version, outcome.error.message)


def test_a_missing_config_leaves_error_metrics_of_an_unknown_version(tmp_path: Path) -> None:
    files = Job(tmp_path)
    files.config.unlink()
    outcome = outcome_of(files.request)
    assert isinstance(outcome.error, ConfigError)
    assert files.metrics() == error("unknown", "Config file not found")
    assert f"path: {files.config}" in files.log.read_text()


def test_a_bad_config_is_reported_before_the_input_is_looked_for(tmp_path: Path) -> None:
    files = Job(tmp_path, config="seed: 42\nwindow: 0\nversion: v7\n")
    files.input.unlink()
    assert isinstance(outcome_of(files.request).error, ConfigError)


def broken_batches(_: TextReader) -> Iterator[Batch]:
    """Read as a reader that has a bug."""
    raise ZeroDivisionError("a bug\nin two lines \x1b[2J")


def test_a_bug_leaves_error_metrics_and_its_traceback_in_the_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(TextReader, "batches", broken_batches)
    files = Job(tmp_path)
    outcome = outcome_of(files.request)
    assert outcome.error is not None
    assert outcome.error.exit_code == 1
    assert files.metrics() == error(
        "v1", "Internal error: ZeroDivisionError: a bug\nin two lines \x1b[2J"
    )
    trace = [event for event in files.events() if "traceback: " in event]
    assert len(trace) > 4
    assert all(event[25:33] == "ERROR   " and event.isprintable() for event in trace)
    assert any("in broken_batches" in event for event in trace)
    assert names(files.events())[-2:] == ["job failed", "job ended"]
    assert " exit_code=1 " in files.events()[-2]


class Panic(BaseException):
    """What a compiled library may raise: it is not an Exception."""


def panicking_batches(_: TextReader) -> Iterator[Batch]:
    """Read as a library that panics."""
    raise Panic("called `Result::unwrap()` on an `Err` value")


def test_a_panic_of_a_compiled_library_is_a_bug_like_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(TextReader, "batches", panicking_batches)
    files = Job(tmp_path)
    outcome = outcome_of(files.request)
    assert outcome.error is not None
    assert outcome.error.exit_code == 1
    assert files.metrics() == outcome.metrics
    assert any("in panicking_batches" in event for event in files.events())


def stopped_batches(_: TextReader) -> Iterator[Batch]:
    """Read until a signal comes: at once."""
    raise StoppedError(15, "SIGTERM")


def test_a_signal_in_the_middle_leaves_error_metrics_and_no_traceback(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(TextReader, "batches", stopped_batches)
    files = Job(tmp_path)
    outcome = outcome_of(files.request)
    assert outcome.error is not None
    assert outcome.error.exit_code == 143
    assert files.metrics() == error("v1", "Stopped by SIGTERM before the end")
    assert names(files.events())[-2:] == ["job failed", "job ended"]


class Listener(Heard):
    """A listener that lists the folder when the config is verified."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.seen: list[str] = []

    def __call__(self, level: LogLevel, text: str) -> None:
        if text.startswith("config verified"):
            self.seen = sorted(os.listdir(self.folder))


def test_former_metrics_are_gone_while_a_run_is_under_way(tmp_path: Path) -> None:
    files = Job(tmp_path)
    files.output.write_text("of a former run")
    listener = Listener(tmp_path)
    assert outcome_of(files.request, listener).error is None
    assert listener.seen == [".metrics.json.lock", "bars.csv", "config.yaml", "run.log"]
    assert sorted(os.listdir(tmp_path)) == ["bars.csv", "config.yaml", "metrics.json", "run.log"]


@pytest.mark.parametrize("missing", ["input", "config"])
def test_former_metrics_do_not_outlive_a_run_that_fails(tmp_path: Path, missing: str) -> None:
    files = Job(tmp_path)
    files.output.write_text("of a former run")
    getattr(files, missing).unlink()
    outcome_of(files.request)
    assert files.metrics()["status"] == "error"


@pytest.mark.parametrize("name", ["nul\0byte", "\ud800"])
def test_a_path_that_no_system_has_is_an_error_like_others(tmp_path: Path, name: str) -> None:
    files = Job(tmp_path)
    request = files.request
    assert isinstance(outcome_of(request._replace(inputs=(name,))).error, InputError)
    assert isinstance(outcome_of(request._replace(config=name)).error, ConfigError)
    assert isinstance(outcome_of(request._replace(output=name)).error, OutputError)
    assert outcome_of(request._replace(log_file=name)).error is None


def test_a_second_run_over_a_folder_does_not_read_what_the_first_left_there(
    tmp_path: Path,
) -> None:
    files = Job(tmp_path)
    outcomes = [outcome_of(files.request._replace(inputs=(str(tmp_path),))) for _ in range(2)]
    assert [outcome.error for outcome in outcomes] == [None, None]
    assert {outcome.metrics["rows_processed"] for outcome in outcomes} == {8}


class Remover(Heard):
    """A listener that removes a file when the config is verified."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __call__(self, level: LogLevel, text: str) -> None:
        if text.startswith("config verified"):
            self.path.unlink()


def test_the_version_read_at_the_start_is_that_of_the_error_metrics(tmp_path: Path) -> None:
    files = Job(tmp_path, "open\n1\n")
    outcome = outcome_of(files.request, Remover(files.config))
    assert isinstance(outcome.error, DataError)
    assert files.metrics()["version"] == "v1"


def test_folders_of_the_outputs_are_made(tmp_path: Path) -> None:
    files = Job(tmp_path, TIMED)
    output, log = tmp_path / "out/of/here/m.json", tmp_path / "logs/today/run.log"
    assert outcome_of(files.request._replace(output=str(output), log_file=str(log))).error is None
    assert strict_json(output.read_text())["status"] == "success"
    assert len(log.read_text().splitlines()) == 8


def test_an_output_that_is_a_link_is_followed(tmp_path: Path) -> None:
    files = Job(tmp_path)
    (tmp_path / "there.json").write_text("of a former run")
    files.output.symlink_to("there.json")
    assert outcome_of(files.request).error is None
    assert os.readlink(files.output) == "there.json"
    assert strict_json((tmp_path / "there.json").read_text())["status"] == "success"


def make_folder(path: Path) -> None:
    path.mkdir()


def make_pipe(path: Path) -> None:
    os.mkfifo(path)


def make_loop(path: Path) -> None:
    path.symlink_to(path.name)


@pytest.mark.parametrize("make", [make_folder, make_pipe, make_loop])
def test_an_output_that_is_not_a_file_is_refused_and_left_as_it_is(
    tmp_path: Path, make: Callable[[Path], None]
) -> None:
    files = Job(tmp_path)
    make(files.output)
    before = snapshot(tmp_path)
    heard = Heard()
    outcome = outcome_of(files.request, heard)
    assert isinstance(outcome.error, OutputError)
    assert outcome.error.exit_code == 73
    assert outcome.metrics == error("v1", outcome.error.message)
    assert ("WARNING", "metrics not written") in [(level, text[:19]) for level, text in heard]
    files.log.unlink()
    assert snapshot(tmp_path) == before


def test_a_folder_that_cannot_be_made_is_an_error(tmp_path: Path) -> None:
    files = Job(tmp_path)
    outcome = outcome_of(files.request._replace(output=f"{files.input}/m.json"))
    assert isinstance(outcome.error, OutputError)
    assert files.input.read_text().startswith("close\n")


@pytest.mark.parametrize("make", [make_folder, make_pipe, make_loop])
def test_a_log_that_cannot_be_written_is_a_warning_and_the_job_succeeds(
    tmp_path: Path, make: Callable[[Path], None]
) -> None:
    files = Job(tmp_path, TIMED)
    make(files.log)
    heard = Heard()
    assert outcome_of(files.request, heard).error is None
    assert files.metrics()["status"] == "success"
    warnings = [text for level, text in heard if level == "WARNING"]
    assert len(warnings) == 1
    assert warnings[0].startswith("the log cannot be written: ")


def same(path: Path, _: Path) -> Path:
    return path


def dotted(path: Path, _: Path) -> Path:
    return path.parent / "." / "x" / ".." / path.name


def linked(path: Path, link: Path) -> Path:
    link.symlink_to(path)
    return link


def hard_linked(path: Path, link: Path) -> Path:
    os.link(path, link)
    return link


def in_a_linked_folder(path: Path, link: Path) -> Path:
    link.symlink_to(path.parent)
    return link / path.name


WAYS = pytest.mark.parametrize("way", [same, dotted, linked, hard_linked, in_a_linked_folder])
Way = Callable[[Path, Path], Path]


@WAYS
@pytest.mark.parametrize("read", ["input", "config"])
def test_an_output_that_is_an_input_is_refused_and_nothing_is_touched(
    tmp_path: Path, way: Way, read: str
) -> None:
    files = Job(tmp_path)
    (tmp_path / "x").mkdir()
    output = way(getattr(files, read), tmp_path / "way")
    before = snapshot(tmp_path)
    outcome = outcome_of(files.request._replace(output=str(output)))
    assert isinstance(outcome.error, UsageError)
    assert outcome.error.exit_code == 2
    assert outcome.error.message.startswith(f"--output and --{read} are the same file")
    assert outcome.metrics == error("v1", outcome.error.message)
    assert snapshot(tmp_path) == before


@WAYS
@pytest.mark.parametrize("read", ["input", "config"])
def test_a_log_that_is_an_input_is_refused_and_the_input_is_not_touched(
    tmp_path: Path, way: Way, read: str
) -> None:
    files = Job(tmp_path)
    (tmp_path / "x").mkdir()
    log = way(getattr(files, read), tmp_path / "way")
    before = snapshot(tmp_path)
    outcome = outcome_of(files.request._replace(log_file=str(log)))
    assert isinstance(outcome.error, UsageError)
    assert outcome.error.message.startswith(f"--log-file and --{read} are the same file")
    assert outcome.metrics == error("v1", outcome.error.message)
    files.output.unlink(missing_ok=True)
    assert snapshot(tmp_path) == before


@WAYS
def test_a_log_that_is_the_output_is_refused_and_nothing_is_touched(
    tmp_path: Path, way: Way
) -> None:
    files = Job(tmp_path)
    (tmp_path / "x").mkdir()
    files.output.write_text("precious")
    log = way(files.output, tmp_path / "way")
    before = snapshot(tmp_path)
    outcome = outcome_of(files.request._replace(log_file=str(log)))
    assert isinstance(outcome.error, UsageError)
    assert outcome.error.message.startswith("--log-file and --output are the same file")
    assert snapshot(tmp_path) == before


def test_an_input_or_config_that_leads_to_the_output_is_refused(tmp_path: Path) -> None:
    files = Job(tmp_path)
    link = str(tmp_path / "way")
    os.symlink(files.output, link)
    files.output.write_text("precious")
    for request in (files.request._replace(inputs=(link,)), files.request._replace(config=link)):
        assert isinstance(outcome_of(request).error, UsageError)
        assert files.output.read_text() == "precious"


@pytest.mark.parametrize(
    ("flag", "other_flags"),
    [("output", ["summary", "signals", "log_file"]), ("summary", ["signals", "log_file"])],
)
def test_no_two_outputs_may_be_one_file(tmp_path: Path, flag: str, other_flags: list[str]) -> None:
    files = Job(tmp_path)
    for other_flag in other_flags:
        paths = {flag: f"{tmp_path}/one.csv", other_flag: f"{tmp_path}/x/../one.csv"}
        outcome = outcome_of(Request(**files.request._asdict() | paths))
        assert isinstance(outcome.error, UsageError)
        assert "are the same file" in outcome.error.message


@pytest.mark.parametrize("flag", ["summary", "signals"])
@pytest.mark.parametrize("read", ["input", "config"])
def test_a_table_to_be_written_that_is_an_input_is_refused_and_nothing_is_touched(
    tmp_path: Path, flag: str, read: str
) -> None:
    files = Job(tmp_path)
    before = snapshot(tmp_path)
    paths = {flag: str(getattr(files, read))}
    outcome = outcome_of(Request(**files.request._asdict() | paths))
    assert isinstance(outcome.error, UsageError)
    assert outcome.error.message.startswith(f"--{flag} and --{read} are the same file")
    assert snapshot(tmp_path) == before


@pytest.mark.parametrize("index", [0, 1, 2])
def test_an_output_that_is_any_of_many_inputs_is_refused(tmp_path: Path, index: int) -> None:
    files = Job(tmp_path)
    inputs = tuple(str(tmp_path / name) for name in ("a.csv", "b.csv", "c.csv"))
    for path in inputs:
        Path(path).write_text(BARS)
    before = snapshot(tmp_path)
    outcome = outcome_of(files.request._replace(inputs=inputs, output=inputs[index]))
    assert isinstance(outcome.error, UsageError)
    pattern = (str(tmp_path / "*.csv"),)
    outcome = outcome_of(files.request._replace(inputs=pattern, output=inputs[index]))
    assert isinstance(outcome.error, UsageError)
    assert snapshot(tmp_path) == before


def test_an_input_and_output_that_are_both_missing_may_not_be_one_file(tmp_path: Path) -> None:
    files = Job(tmp_path)
    path = str(tmp_path / "none")
    outcome = outcome_of(files.request._replace(inputs=(path,), output=path))
    assert isinstance(outcome.error, UsageError)
    assert not (tmp_path / "none").exists()


def test_input_and_config_may_be_one_file_as_both_are_only_read(tmp_path: Path) -> None:
    files = Job(tmp_path)
    outcome = outcome_of(files.request._replace(inputs=(str(files.config),)))
    assert isinstance(outcome.error, DataError)


def test_a_failure_outside_a_run_leaves_error_metrics_and_a_line_in_the_log(
    tmp_path: Path,
) -> None:
    files = Job(tmp_path)
    files.output.write_text("of a former run")
    heard = Heard()
    outcome = fail(files.request, UsageError("no such flag", "see --help"), heard)
    assert files.metrics() == outcome.metrics == error("v1", "no such flag")
    (event,) = files.events()
    assert event.endswith("ERROR   job failed exit_code=2 error='no such flag (see --help)'")
    assert heard == []


def test_a_failure_outside_a_run_harms_no_input(tmp_path: Path) -> None:
    files = Job(tmp_path)
    before = snapshot(tmp_path)
    for request in (
        files.request._replace(output=str(files.input)),
        files.request._replace(output=str(files.config), log_file=str(files.input)),
    ):
        outcome = fail(request, UsageError("no such flag"), Heard())
        assert outcome.metrics == error("v1", "no such flag")
        assert snapshot(tmp_path) == before
    fail(files.request._replace(log_file=str(files.input)), UsageError("no such flag"), Heard())
    files.output.unlink()
    assert snapshot(tmp_path) == before


def test_a_plan_lists_files_and_settings_and_writes_nothing(tmp_path: Path) -> None:
    files = Job(tmp_path, "time;close\n1;2\n")
    files.output.write_text("of a former run")
    before = snapshot(tmp_path)
    lines = dry_run(files.request).splitlines()
    assert lines[:3] == [
        f"would read  {files.input}: utf-8, semicolon, close from close, timestamp from time",
        f"would write {files.output}",
        f"would write {files.log}",
    ]
    assert [line.split()[1] for line in lines[3:]] == [f"{name}:" for name in settings_of(files)]
    assert {"setting     window: 2", "setting     columns.close: close"} <= set(lines)
    assert snapshot(tmp_path) == before


def test_a_plan_shows_names_and_versions_without_line_ends_and_escapes(tmp_path: Path) -> None:
    config = 'seed: 1\nwindow: 2\nversion: "a\\nb\\e[2J"\n'
    files = Job(tmp_path, "clo\x1bse,close\n1,2\n", config)
    files.input.rename(tmp_path / "a\n\x1b.csv")
    text = dry_run(files.request._replace(inputs=(str(tmp_path / "a\n\x1b.csv"),)))
    assert all(line.isprintable() for line in text.split("\n"))
    assert all(line.startswith(("would ", "setting ")) for line in text.split("\n"))
    assert r"version: a\nb\x1b[2J" in text


def test_a_plan_without_a_log_names_one_output(tmp_path: Path) -> None:
    text = dry_run(Job(tmp_path).request._replace(log_file=None))
    assert text.count("would write") == 1


def without_input(files: Job) -> None:
    files.input.unlink()


def without_close(files: Job) -> None:
    files.input.write_text("open\n1\n")


def without_config(files: Job) -> None:
    files.config.unlink()


def with_one_file_for_two(files: Job) -> None:
    files.log.symlink_to(files.input)


@pytest.mark.parametrize(
    ("spoil", "error_type"),
    [
        (without_input, InputError),
        (without_close, DataError),
        (without_config, ConfigError),
        (with_one_file_for_two, UsageError),
    ],
)
def test_a_plan_fails_where_the_run_would_fail_and_writes_nothing(
    tmp_path: Path, spoil: Callable[[Job], None], error_type: type[JobError]
) -> None:
    files = Job(tmp_path)
    spoil(files)
    before = snapshot(tmp_path)
    with pytest.raises(error_type):
        dry_run(files.request)
    assert snapshot(tmp_path) == before


def test_findings_are_reported_as_the_config_says(tmp_path: Path) -> None:
    bars = "timestamp,close\n" + "".join(f"2024-01-01 00:00:00,{close}\n" for close in range(1, 10))
    files = Job(tmp_path, bars, CONFIG + "checks: {duplicates: warn}\n")
    heard = Heard()
    outcome = outcome_of(files.request, heard)
    assert outcome.metrics["rows_processed"] == 9
    warnings = [text for level, text in heard if level == "WARNING"]
    assert [text for text in warnings if "line 3" in text] == warnings[:1]
    assert warnings[-1] == "bars in doubt check=duplicates bars=8"
    assert len(warnings) < 8
    assert sum(" WARNING " in event for event in files.events()) == len(warnings)


@pytest.mark.parametrize(("policy", "value"), [("skip", 1.0), ("gap", 1.0)])
def test_missing_closes_are_reported_with_what_was_done_about_them(
    tmp_path: Path, policy: str, value: float
) -> None:
    bars = "time,close\n2024-01-01,1\n2024-01-02,\n2024-01-03,3\n2024-01-04,4\n"
    files = Job(tmp_path, bars, CONFIG + f"missing: {policy}\n")
    heard = Heard()
    outcome = outcome_of(files.request, heard)
    assert outcome.metrics["value"] == value
    assert outcome.metrics["rows_processed"] == 4
    assert ("WARNING", f"closes missing rows=1 policy={policy}") in heard


OHLC = "timestamp,high,close\n" + "".join(
    f"2024-01-01 00:{minute:02d}:00,{high},5\n"
    for minute, high in ((0, 6), (1, 4), (2, "x"), (3, 5), (13, 6))
)


def test_prices_and_gaps_are_looked_at_if_the_config_says_so(tmp_path: Path) -> None:
    files = Job(tmp_path, OHLC, CONFIG)
    assert outcome_of(files.request).error is None
    assert not any("WARNING" in event for event in files.events())

    files.config.write_text(CONFIG + "checks: {ohlc: warn, gaps: warn}\n")
    heard = Heard()
    assert outcome_of(files.request, heard).error is None
    warnings = [text for level, text in heard if level == "WARNING"]
    assert warnings == [
        f"{files.input} line 3: high 4 is below close 5 (set checks: {{ohlc: warn}})",
        f"{files.input} line 4: high is 'x', not a number (set checks: {{ohlc: warn}})",
        f"{files.input} line 6: a step of 0:10:00 before 2024-01-01T00:13:00Z, where 0:01:00 is"
        " usual (set checks: {gaps: warn})",
        "bars in doubt check=ohlc bars=2",
        "bars in doubt check=gaps bars=1",
    ]
    assert ", compared with high'" in next(e for e in files.events() if "compared" in e)


@pytest.mark.parametrize(
    ("checks", "message"),
    [
        ("ohlc: error, gaps: error", "line 3: high 4 is below close 5 "),
        ("ohlc: off, gaps: error", "line 6: a step of 0:10:00 before 2024-01-01T00:13:00Z, "),
    ],
)
def test_bars_that_a_check_refuses_fail_the_run(tmp_path: Path, checks: str, message: str) -> None:
    files = Job(tmp_path, OHLC, CONFIG + f"checks: {{{checks}}}\n")
    outcome = outcome_of(files.request)
    assert isinstance(outcome.error, DataError)
    assert str(files.metrics()["error_message"]).startswith(f"{files.input} {message}")
