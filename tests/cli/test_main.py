"""Facts about the command line, most of them seen from outside: a process, its output, its code."""

from __future__ import annotations

import os
import pty
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from time import perf_counter

import pytest

import rollsignal
from rollsignal.commands.sample import sample_csv
from rollsignal.core.bars import Batch
from rollsignal.readers.text import TextReader
from rollsignal.version import STARTED
from tests.support.shell import (
    CONFIG,
    ENVIRONMENT,
    LIKE_ANYONE,
    ROOT,
    SUCCESS,
    TIMED,
    Finished,
    Job,
    command,
    error,
    needs_permissions,
    process_arguments,
    published,
    snapshot,
    strict_json,
)

NO_SPACE = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, ({0}, {0}))"


def without_latency(document: dict[str, object]) -> dict[str, object]:
    return {key: value for key, value in document.items() if key != "latency_ms"}


def assert_failed(done: Finished, files: Job, code: int, message: str, version: str = "v1") -> None:
    """Check that a run failed as published: code, file, stdout, and one line on stderr."""
    assert done.returncode == code
    assert files.metrics() == error(version, message)
    assert done.stdout == files.output.read_text(encoding="utf-8")
    assert done.stderr.startswith(f"rollsignal: error: {message}")
    assert done.stderr.count("\n") == 1


# What stdout and stderr carry, and the exit codes.


def test_success_prints_the_metrics_and_nothing_else(tmp_path: Path) -> None:
    files = Job(tmp_path, TIMED)
    done = files.process()
    assert (done.returncode, done.stderr) == (0, "")
    assert without_latency(published(done.stdout)) == SUCCESS
    assert done.stdout == files.output.read_text()


def test_run_py_without_flags_reads_and_writes_the_usual_names(tmp_path: Path) -> None:
    Job(tmp_path, TIMED).input.rename(tmp_path / "data.csv")
    done = subprocess.run(
        process_arguments(), cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert sorted(os.listdir(tmp_path)) == ["config.yaml", "data.csv", "metrics.json", "run.log"]


def test_the_module_is_the_same_command(tmp_path: Path) -> None:
    files = Job(tmp_path)
    done = subprocess.run(
        [sys.executable, "-m", "rollsignal", "run", *files.arguments()],
        env=ENVIRONMENT | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0
    assert without_latency(published(done.stdout)) == SUCCESS


def test_latency_counts_from_the_import_of_the_program(tmp_path: Path) -> None:
    files = Job(tmp_path)
    since_import_ms = (perf_counter() - STARTED) * 1000
    assert files.run() == 0
    latency = files.metrics()["latency_ms"]
    assert isinstance(latency, int)
    assert latency >= int(since_import_ms)


def test_latency_is_at_most_what_the_process_took(tmp_path: Path) -> None:
    files = Job(tmp_path)
    started = perf_counter()
    files.process()
    latency = files.metrics()["latency_ms"]
    assert isinstance(latency, int)
    assert 0 < latency <= (perf_counter() - started) * 1000


def test_a_missing_input_exits_66_with_its_path_on_stderr(tmp_path: Path) -> None:
    files = Job(tmp_path)
    files.input.unlink()
    done = files.process()
    assert_failed(done, files, 66, "Input data file not found")
    assert f"(path: {files.input})" in done.stderr


def test_bad_data_exits_65(tmp_path: Path) -> None:
    files = Job(tmp_path, "open\n1\n2\n")
    done = files.process()
    assert done.returncode == 65
    assert_failed(done, files, 65, str(files.metrics()["error_message"]))


def test_a_bad_config_exits_78(tmp_path: Path) -> None:
    files = Job(tmp_path, config="seed: 42\nversion: v9\nwindow: 0\n")
    message = f"{files.config} line 3: window is '0', not between 1 and 1,000,000,000"
    assert_failed(files.process(), files, 78, message, "v9")


def test_an_output_that_cannot_be_created_exits_73_with_the_metrics_on_stdout(
    tmp_path: Path,
) -> None:
    files = Job(tmp_path)
    files.output.mkdir()
    done = files.process()
    assert done.returncode == 73
    assert published(done.stdout)["status"] == "error"
    assert "rollsignal: warning: metrics not written" in done.stderr
    assert "\nrollsignal: error: Output cannot be created: " in done.stderr
    assert os.listdir(files.output) == []


def broken_batches(_: TextReader) -> Iterator[Batch]:
    """Read as a reader that has a bug."""
    raise ValueError("\x1b[31ma bug\nin two lines")


def test_a_bug_exits_1_and_its_traceback_is_in_the_log_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(TextReader, "batches", broken_batches)
    files = Job(tmp_path)
    assert files.run() == 1
    printed, messages = capsys.readouterr()
    assert published(printed) == files.metrics()
    assert (
        files.metrics()["error_message"]
        == "Internal error: ValueError: \x1b[31ma bug\nin two lines"
    )
    told_escaped = r"rollsignal: error: Internal error: ValueError: \x1b[31ma bug\nin two lines"
    assert messages == told_escaped + "\n"
    assert any("traceback: Traceback" in event for event in files.events())


# stdout and stderr that are closed or full.


BUFFERS = pytest.mark.parametrize("env", [ENVIRONMENT, ENVIRONMENT | {"PYTHONUNBUFFERED": "1"}])


@BUFFERS
def test_a_reader_of_stdout_that_has_gone_changes_nothing(
    tmp_path: Path, env: dict[str, str]
) -> None:
    files = Job(tmp_path, TIMED)
    reading, writing = os.pipe()
    os.close(reading)
    done = files.process(stdout=writing, env=env)
    os.close(writing)
    assert done.returncode == 0
    assert without_latency(files.metrics()) == SUCCESS
    assert done.stderr.startswith("rollsignal: warning: stdout was closed")
    assert done.stderr.count("\n") == 1


def test_a_closed_stdout_changes_nothing(tmp_path: Path) -> None:
    files = Job(tmp_path, TIMED)
    done = files.process(before="os.close(1)")
    assert done.returncode == 0
    assert without_latency(files.metrics()) == SUCCESS
    assert done.stderr.count("\n") == 1


@BUFFERS
def test_a_full_stdout_exits_74_with_error_metrics(tmp_path: Path, env: dict[str, str]) -> None:
    files = Job(tmp_path, TIMED)
    with open("/dev/full", "w") as full:
        done = files.process(stdout=full, env=env)
    message = "stdout could not be written: No space left on device"
    assert done.returncode == 74
    assert files.metrics() == error("v1", message)
    assert done.stderr == f"rollsignal: error: {message}\n"


@BUFFERS
def test_a_full_stdout_does_not_hide_why_the_job_failed(
    tmp_path: Path, env: dict[str, str]
) -> None:
    files = Job(tmp_path)
    files.input.unlink()
    with open("/dev/full", "w") as full:
        done = files.process(stdout=full, env=env)
    assert done.returncode == 66
    assert files.metrics() == error("v1", "Input data file not found")


def test_a_closed_stderr_changes_nothing(tmp_path: Path) -> None:
    files = Job(tmp_path)
    files.log.mkdir()  # which gives a warning
    assert files.process(before="os.close(2)").returncode == 0
    assert without_latency(files.metrics()) == SUCCESS


def test_a_full_stderr_changes_nothing(tmp_path: Path) -> None:
    files = Job(tmp_path)
    files.log.mkdir()  # which gives a warning
    with open("/dev/full", "w") as full:
        assert files.process(stderr=full).returncode == 0
        files.input.unlink()
        assert files.process(stderr=full).returncode == 66


def test_a_version_that_a_terminal_cannot_show_is_printed_as_in_the_file(tmp_path: Path) -> None:
    files = Job(tmp_path, TIMED, config='seed: 1\nwindow: 2\nversion: "日本"\n')
    done = files.process(env=ENVIRONMENT | {"PYTHONIOENCODING": "latin-1"})
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == files.output.read_text(encoding="utf-8")


PRINTED = pytest.mark.parametrize(
    "arguments",
    [["--help"], ["--version"], ["run", "--help"], ["run", "--dry-run"], ["sample", "--rows", "3"]],
)


def printed_to(folder: Path, stdout: int, arguments: list[str], before: str = "") -> Finished:
    Job(folder).input.rename(folder / "data.csv")
    code = f"import os, sys\n{before}\nos.execv(sys.executable, sys.argv[1:])"
    return subprocess.run(
        [sys.executable, "-c", code, sys.executable, "-m", "rollsignal", *arguments],
        cwd=folder,
        env=ENVIRONMENT | {"PYTHONPATH": str(ROOT)},
        stdout=stdout,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )


@PRINTED
def test_what_is_printed_and_not_read_exits_0_in_silence(
    tmp_path: Path, arguments: list[str]
) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    done = printed_to(tmp_path, writing, arguments)
    os.close(writing)
    assert (done.returncode, done.stderr) == (0, "")


@PRINTED
def test_a_result_that_cannot_be_printed_exits_74_with_one_line(
    tmp_path: Path, arguments: list[str]
) -> None:
    with open("/dev/full", "w") as full:
        done = printed_to(tmp_path, full.fileno(), arguments)
    message = "rollsignal: error: stdout could not be written: No space left on device\n"
    assert (done.returncode, done.stderr) == (74, message)


@PRINTED
def test_a_closed_stdout_is_not_a_failure(tmp_path: Path, arguments: list[str]) -> None:
    done = printed_to(tmp_path, subprocess.DEVNULL, arguments, before="os.close(1)")
    assert done.returncode == 0
    assert "Traceback" not in done.stderr


# Disks that are full, files that may not be touched.


def test_metrics_that_cannot_be_written_exit_74_and_leave_no_litter(tmp_path: Path) -> None:
    files = Job(tmp_path)
    files.output.write_text("of a former run")
    done = files.process(before=NO_SPACE.format(0))
    message = "Output could not be written: File too large"
    assert done.returncode == 74
    assert published(done.stdout) == error("v1", message)
    assert f"rollsignal: error: {message} (path: {files.output})" in done.stderr
    assert sorted(os.listdir(tmp_path)) == ["bars.csv", "config.yaml", "run.log"]
    assert files.log.read_text() == ""


def test_where_there_is_room_for_less_error_metrics_are_left(tmp_path: Path) -> None:
    files = Job(tmp_path, config=CONFIG.replace('"v1"', "v" * 300))
    room = len("v" * 300) + 120  # success takes some 145 bytes beside the version, this error 108
    done = files.process(before=NO_SPACE.format(room))
    assert done.returncode == 74
    assert files.metrics() == error("v" * 300, "Output could not be written: File too large")
    assert sorted(os.listdir(tmp_path)) == ["bars.csv", "config.yaml", "metrics.json", "run.log"]


def test_a_log_on_a_full_disk_is_a_warning_and_the_job_succeeds(tmp_path: Path) -> None:
    files = Job(tmp_path, TIMED)
    files.log.write_text("x" * 999 + "\n")
    done = files.process(before=NO_SPACE.format(1000))
    assert done.returncode == 0
    assert without_latency(files.metrics()) == SUCCESS
    assert done.stderr == (
        "rollsignal: warning: the log cannot be written: File too large; "
        "the job goes on without it\n"
    )


@needs_permissions
def test_a_read_only_output_exits_73_and_is_not_replaced(tmp_path: Path) -> None:
    files = Job(tmp_path)
    files.output.write_text("precious")
    files.output.chmod(0o444)
    done = files.process(before=LIKE_ANYONE)
    assert done.returncode == 73
    assert published(done.stdout) == error("v1", "Output cannot be created: it is read-only")
    assert files.output.read_text() == "precious"


@needs_permissions
def test_a_read_only_folder_exits_73_and_keeps_its_log_elsewhere(tmp_path: Path) -> None:
    files = Job(tmp_path)
    files.output = tmp_path / "shut/metrics.json"
    files.output.parent.mkdir(mode=0o555)
    done = files.process(before=LIKE_ANYONE)
    assert done.returncode == 73
    assert published(done.stdout)["status"] == "error"
    assert os.listdir(files.output.parent) == []
    assert " job failed exit_code=73 " in files.log.read_text()


@needs_permissions
def test_an_input_that_may_not_be_read_exits_66(tmp_path: Path) -> None:
    files = Job(tmp_path)
    files.input.chmod(0)
    done = files.process(before=LIKE_ANYONE)
    assert_failed(done, files, 66, "Input data file cannot be opened: Permission denied")


@needs_permissions
@pytest.mark.parametrize("pattern", ["*/bars.csv", "*/*.csv", "**/bars.csv", "**", "b/*.csv"])
@pytest.mark.parametrize("mode", [0o000, 0o444])
def test_a_pattern_passes_over_no_folder_that_may_not_be_read(
    tmp_path: Path, pattern: str, mode: int
) -> None:
    files = Job(tmp_path)
    folders = [tmp_path / "in" / name for name in "ab"]
    for folder in folders:
        folder.mkdir(parents=True)
        (folder / "bars.csv").write_bytes(files.input.read_bytes())
    folders[1].chmod(mode)
    files.input = tmp_path / "in" / pattern
    done = files.process(before=LIKE_ANYONE)
    folders[1].chmod(0o755)
    assert_failed(done, files, 66, "Input folder cannot be read: Permission denied")


@needs_permissions
def test_a_folder_that_is_only_passed_through_need_not_be_listed(tmp_path: Path) -> None:
    files = Job(tmp_path)
    folder = tmp_path / "in/b"
    folder.mkdir(parents=True)
    (tmp_path / "in/readme").touch()
    (folder / "bars.csv").write_bytes(files.input.read_bytes())
    folder.chmod(0o111)
    files.input = tmp_path / "in/*/bars.csv"
    done = files.process(before=LIKE_ANYONE)
    folder.chmod(0o755)
    assert done.returncode == 0
    assert without_latency(files.metrics()) == SUCCESS


@needs_permissions
def test_a_config_that_may_not_be_read_exits_78(tmp_path: Path) -> None:
    files = Job(tmp_path)
    files.config.chmod(0)
    done = files.process(before=LIKE_ANYONE)
    assert_failed(done, files, 78, "Config file cannot be opened: Permission denied", "unknown")


@needs_permissions
def test_a_read_only_log_is_a_warning_and_the_job_succeeds(tmp_path: Path) -> None:
    files = Job(tmp_path, TIMED)
    files.log.write_text("of a former run\n")
    files.log.chmod(0o444)
    done = files.process(before=LIKE_ANYONE)
    assert done.returncode == 0
    assert without_latency(files.metrics()) == SUCCESS
    assert done.stderr == (
        "rollsignal: warning: the log cannot be written: Permission denied; "
        "the job goes on without it\n"
    )
    assert files.log.read_text() == "of a former run\n"


def test_a_run_needs_nothing_of_the_environment(tmp_path: Path) -> None:
    files = Job(tmp_path, TIMED)
    done = files.process(env={})
    assert (done.returncode, done.stderr) == (0, "")
    assert without_latency(files.metrics()) == SUCCESS


# Signals.


@pytest.fixture(scope="module")
def long_bars(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a file that takes some seconds to read: closes in quotes need the careful reader."""
    path = tmp_path_factory.mktemp("long") / "bars.csv"
    path.write_text("close\n" + '"1.5"\n2.5\n' * 3_000_000)
    return path


@pytest.mark.parametrize("busy", ["reading", "waiting"])
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_a_run_with_its_code_and_error_metrics(
    tmp_path: Path, long_bars: Path, busy: str, number: signal.Signals, code: int
) -> None:
    files = Job(tmp_path)
    files.input.unlink()
    files.input = long_bars if busy == "reading" else Path("-")
    files.output.write_text("of a former run")
    with files.start() as process:
        assert not files.output.exists()
        process.send_signal(number)
        printed, messages = process.communicate(timeout=30)
    message = f"Stopped by {number.name} before the end"
    assert process.returncode == code
    assert files.metrics() == published(printed) == error("v1", message)
    assert f"rollsignal: error: {message}\n" in messages
    assert sorted(os.listdir(tmp_path)) == ["config.yaml", "metrics.json", "run.log"]
    assert "traceback" not in files.log.read_text()
    assert f" job failed exit_code={code} " in files.events()[-2]
    assert " job ended status=error " in files.events()[-1]


# A run whose stderr sends the signal as soon as it receives a certain line.
STOPPED_AT = """
import os, signal, sys
sys.path.insert(0, sys.argv[1])
from rollsignal.version import STARTED
from rollsignal.cli.main import main

class Stopper:
    def write(self, text):
        if sys.argv[2] in text:
            os.kill(os.getpid(), signal.SIGTERM)

    def flush(self):
        pass

    def isatty(self):
        return False

sys.stderr = Stopper()
sys.exit(main(["run", "-v", *sys.argv[3:]]))
"""


@pytest.mark.parametrize(
    "line", ["job started", "config verified", "rows loaded", "metrics summary", "job ended"]
)
def test_a_signal_at_any_line_exits_with_its_code_and_error_metrics(
    tmp_path: Path, line: str
) -> None:
    files = Job(tmp_path)
    files.output.write_text("of a former run, a success perhaps")
    done = subprocess.run(
        [sys.executable, "-c", STOPPED_AT, str(ROOT), line, *files.arguments()],
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    assert done.returncode == 143
    assert files.metrics() == published(done.stdout)
    assert files.metrics() == error("v1", "Stopped by SIGTERM before the end")


def test_signals_that_follow_do_not_cut_the_end_of_a_run_in_half(tmp_path: Path) -> None:
    files = Job(tmp_path)
    files.input = Path("-")
    with files.start() as process:
        while process.poll() is None:
            process.send_signal(signal.SIGTERM)
            process.send_signal(signal.SIGINT)
    assert process.returncode in (130, 143)
    assert files.metrics()["status"] == "error"
    assert " job ended status=error " in files.events()[-1]


def test_a_killed_run_leaves_no_metrics_and_no_litter_but_a_lock_that_hinders_nobody(
    tmp_path: Path,
) -> None:
    files = Job(tmp_path)
    files.output.write_text("of a former run, a success perhaps")
    files.input = Path("-")
    with files.start() as process:
        process.kill()
    assert process.returncode == -signal.SIGKILL
    assert sorted(os.listdir(tmp_path)) == [
        ".metrics.json.lock",
        "bars.csv",
        "config.yaml",
        "run.log",
    ]


# Wrong command lines.


def test_outputs_that_are_inputs_exit_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = Job(tmp_path)
    before = snapshot(tmp_path)
    assert files.run(output=files.input) == 2
    printed, messages = capsys.readouterr()
    assert published(printed)["status"] == "error"
    assert messages == (
        "rollsignal: error: --output and --input are the same file; nothing was written "
        f"(path: {files.input})\n"
    )
    assert snapshot(tmp_path) == before


def test_the_file_that_stdin_reads_is_never_an_output(tmp_path: Path) -> None:
    files = Job(tmp_path)
    before = snapshot(tmp_path)
    for flag in ("output", "log_file"):
        with files.input.open() as stdin:
            done = subprocess.run(
                process_arguments(*files.arguments(**{"input": "-", flag: files.input})),
                stdin=stdin,
                capture_output=True,
                check=False,
            )
        assert done.returncode == 2
    files.output.unlink()
    assert snapshot(tmp_path) == before


@pytest.mark.parametrize("arguments", [[], ["rnu"], ["--nope"], ["sample", "--rows", "x"]])
def test_a_wrong_command_exits_2_and_writes_nothing(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert command(*arguments) == 2
    printed, messages = capsys.readouterr()
    assert printed == ""
    assert messages.startswith("rollsignal: error: ")
    assert os.listdir(tmp_path) == []


# Help, version, dry run, sample.


@pytest.mark.parametrize(
    ("arguments", "parts"),
    [
        (["--help"], ["COMMAND", "run", "sample"]),
        (["run", "--help"], ["--input", "--config", "--output", "--log-file", "--log-format"]),
        (["run", "-h"], ["--dry-run", "--quiet", "--verbose", "examples:", "exit codes:"]),
        (["sample", "--help"], ["--rows", "--seed"]),
    ],
)
def test_help_is_printed_on_stdout_and_writes_nothing(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    parts: list[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert command(*arguments) == 0
    printed, messages = capsys.readouterr()
    assert messages == ""
    assert all(part in printed for part in parts)
    assert max(map(len, printed.splitlines())) <= 88
    assert os.listdir(tmp_path) == []


def test_help_names_every_exit_code(capsys: pytest.CaptureFixture[str]) -> None:
    assert command("run", "--help") == 0
    codes = capsys.readouterr().out.partition("exit codes:")[2]
    described = sorted(map(int, re.findall(r"\d+", codes)))
    assert described == [0, 1, 2, 65, 66, 71, 73, 74, 75, 78, 130, 143]


def test_examples_of_the_help_are_command_lines_that_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command("run", "--help") == 0
    examples = re.findall(r"^  rollsignal (.*)$", capsys.readouterr().out, re.MULTILINE)
    assert len(examples) == 3
    files = Job(tmp_path)
    (tmp_path / "data.csv").write_bytes(files.input.read_bytes())
    files.input.rename(tmp_path / "btc.csv")
    monkeypatch.chdir(tmp_path)
    for example in examples:
        assert command(*example.split()) == 0


@pytest.mark.parametrize("arguments", [["--version"], ["run", "--version"]])
def test_the_version_is_printed_on_stdout(
    capsys: pytest.CaptureFixture[str], arguments: list[str]
) -> None:
    assert command(*arguments) == 0
    assert capsys.readouterr() == (f"rollsignal {rollsignal.__version__}\n", "")


def test_a_dry_run_prints_the_plan_and_writes_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = Job(tmp_path)
    before = snapshot(tmp_path)
    assert files.run("--dry-run", output=tmp_path / "out/m", log_file=tmp_path / "logs/l") == 0
    printed, messages = capsys.readouterr()
    assert messages == ""
    assert f"would read  {files.input}: utf-8, comma, " in printed
    assert f"would write {tmp_path}/out/m\nwould write {tmp_path}/logs/l\n" in printed
    assert "window: 2\n" in printed
    assert snapshot(tmp_path) == before


@pytest.mark.parametrize(
    ("more", "code"), [({"input": "none"}, 66), ({"config": "none"}, 78), ({"output": "{}"}, 2)]
)
def test_a_dry_run_that_fails_prints_the_reason_and_writes_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], more: dict[str, str], code: int
) -> None:
    files = Job(tmp_path)
    before = snapshot(tmp_path)
    paths = {flag: path.format(files.input) for flag, path in more.items()}
    assert files.run("--dry-run", **paths) == code
    printed, messages = capsys.readouterr()
    assert printed == ""
    assert messages.startswith("rollsignal: error: ")
    assert snapshot(tmp_path) == before


def test_a_dry_run_with_a_wrong_command_line_writes_nothing(tmp_path: Path) -> None:
    files = Job(tmp_path)
    before = snapshot(tmp_path)
    assert files.run("--dry-run", "--nope") == 2
    assert snapshot(tmp_path) == before


def test_a_sample_is_printed_as_it_is_made(capsys: pytest.CaptureFixture[str]) -> None:
    assert command("sample", "--rows", "3", "--seed", "7") == 0
    assert capsys.readouterr() == ("".join(sample_csv(3, 7)), "")


@pytest.mark.parametrize("flag", ["rows", "seed"])
def test_a_sample_of_a_negative_number_exits_2(
    capsys: pytest.CaptureFixture[str], flag: str
) -> None:
    assert command("sample", f"--{flag}=-1") == 2
    assert capsys.readouterr() == ("", f"rollsignal: error: --{flag} is negative\n")


def test_a_sample_that_is_read_in_part_is_not_a_failure() -> None:
    line = [sys.executable, "-m", "rollsignal", "sample", "--rows", "100000"]
    with subprocess.Popen(
        line,
        cwd=ROOT,
        env=ENVIRONMENT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout
        assert process.stderr
        assert process.stdout.readline().startswith("timestamp,")
        process.stdout.close()
        assert process.stderr.read() == ""
    assert process.returncode == 0


# How much is printed, and in which colours.

DOUBT = "timestamp,close\n" + "2024-01-01,1\n" * 3
WARN = CONFIG + "checks: {duplicates: warn}\n"


def test_warnings_are_printed_on_stderr(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert Job(tmp_path, DOUBT, WARN).run() == 0
    messages = capsys.readouterr().err.splitlines()
    assert messages[-1] == "rollsignal: warning: bars in doubt check=duplicates bars=2"
    assert all(line.startswith("rollsignal: warning: ") for line in messages)


@pytest.mark.parametrize("flag", ["-q", "--quiet"])
def test_quiet_prints_only_errors(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], flag: str
) -> None:
    files = Job(tmp_path, DOUBT, WARN)
    assert files.run(flag) == 0
    assert capsys.readouterr().err == ""
    assert " WARNING bars in doubt " in files.log.read_text()
    files.input.unlink()
    assert files.run(flag) == 66
    assert capsys.readouterr().err.startswith("rollsignal: error: Input data file not found")


@pytest.mark.parametrize("flag", ["-v", "--verbose"])
def test_verbose_prints_the_log_on_stderr_too(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], flag: str
) -> None:
    files = Job(tmp_path, TIMED)
    assert files.run(flag) == 0
    printed, messages = capsys.readouterr()
    assert published(printed)["status"] == "success"
    assert [line.removeprefix("rollsignal: info: ") for line in messages.splitlines()] == [
        event[33:] for event in files.events()
    ]


def test_the_log_may_be_json_and_stdout_stays_as_it_is(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = Job(tmp_path, TIMED)
    assert files.run("--log-format", "json") == 0
    assert without_latency(published(capsys.readouterr().out)) == SUCCESS
    assert files.run("--log-format", "json", "--nope") == 2
    assert len(files.events()) == 9
    for event in map(strict_json, files.events()):
        assert list(event)[:4] == ["timestamp", "level", "logger", "message"]


def test_every_input_is_held_against_the_format_that_is_given(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = Job(tmp_path)
    assert files.run("--format", "csv") == files.run("--format", "csv", "--dry-run") == 0
    for more in ([], ["--dry-run"], [f"--signals={tmp_path}/signals.csv"]):
        assert files.run("--format", "parquet", *more) == 65
        assert "bars.csv: not parquet as --format says, but text by its content" in (
            capsys.readouterr().err
        )


def test_a_path_of_several_lines_is_printed_on_one_without_escapes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = Job(tmp_path)
    assert files.run("-v", input=tmp_path / "a\nb\x1b[2J\x9b\u2028") == 66
    messages = capsys.readouterr().err
    assert all(line.startswith("rollsignal: ") for line in messages.splitlines())
    assert all(line.isprintable() for line in messages.splitlines())
    assert r"a\nb\x1b[2J\x9b\u2028" in messages


def told_on_a_terminal(files: Job, **environment: str) -> str:
    """Run with stderr on a terminal, and return what it shows."""
    ours, theirs = pty.openpty()
    usual = {key: value for key, value in ENVIRONMENT.items() if key != "NO_COLOR"}
    done = files.process(stderr=theirs, env=usual | {"TERM": "xterm"} | environment)
    os.close(theirs)
    with open(ours, "rb") as terminal:
        text = terminal.read1(65_536).decode()
    assert "\x1b" not in done.stdout
    return text


def test_on_a_terminal_an_error_is_red_and_a_warning_yellow(tmp_path: Path) -> None:
    files = Job(tmp_path, DOUBT, WARN)
    assert "rollsignal: \x1b[33mwarning\x1b[0m: bars in doubt" in told_on_a_terminal(files)
    files.input.unlink()
    assert "rollsignal: \x1b[31merror\x1b[0m: Input data file" in told_on_a_terminal(files)
    assert "\x1b" not in files.log.read_text()


@pytest.mark.parametrize("environment", [{"NO_COLOR": "1"}, {"TERM": "dumb"}])
def test_colours_can_be_declined(tmp_path: Path, environment: dict[str, str]) -> None:
    files = Job(tmp_path)
    files.input.unlink()
    text = told_on_a_terminal(files, **environment)
    assert text.startswith("rollsignal: error: Input data file not found")
    assert "\x1b" not in text


def test_an_empty_no_color_declines_nothing(tmp_path: Path) -> None:
    files = Job(tmp_path)
    files.input.unlink()
    assert "\x1b[31m" in told_on_a_terminal(files, NO_COLOR="")


def test_off_a_terminal_there_are_no_escape_codes(tmp_path: Path) -> None:
    files = Job(tmp_path)
    files.input.unlink()
    done = files.process(env=ENVIRONMENT | {"TERM": "xterm", "FORCE_COLOR": "1"})
    assert done.stderr.startswith("rollsignal: error: ")
    assert "\x1b" not in done.stdout + done.stderr
