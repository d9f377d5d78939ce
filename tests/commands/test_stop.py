"""Facts about signals that end a command: none is lost, and none cuts the end of a run in half."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import polars as pl
import pytest

import rollsignal
from rollsignal.commands import stop
from rollsignal.commands.stop import Stop
from rollsignal.core.bars import Batch
from rollsignal.core.findings import UNTIMED
from rollsignal.errors import DataError, StoppedError
from rollsignal.files import replace as files
from rollsignal.outputs.signals import text as signals_text
from rollsignal.readers.text import TextReader
from tests.support.shell import ENVIRONMENT, ROOT, Job, error, published

MESSAGE = "Stopped by SIGTERM before the end"

# A command that is stopped while it opens its input, where Python ignores exceptions.
UNHEARD = """
import os, signal, sys, weakref
sys.path.insert(0, sys.argv[1])
from rollsignal.cli.main import main
from rollsignal.readers import opening as input

class Gone:
    pass

def stop(*_):
    os.kill(os.getpid(), signal.SIGTERM)

if sys.argv[2] == "__del__":
    Gone.__del__ = stop
open_input = input.open_input

def opening(path):
    gone = Gone()
    watched = weakref.ref(gone, None if sys.argv[2] == "__del__" else stop)
    del gone
    return open_input(path)

input.open_input = opening
sys.exit(main(sys.argv[3:]))
"""


@pytest.mark.parametrize("place", ["__del__", "weakref"])
@pytest.mark.parametrize("name", ["run", "check"])
def test_a_stop_that_python_ignores_comes_again(tmp_path: Path, name: str, place: str) -> None:
    job = Job(tmp_path)
    flags = job.arguments(input="-") if name == "run" else ["--input", "-"]
    with process(UNHEARD, place, name, *flags) as stopped:
        # Otherwise it would wait for bars forever.
        assert stopped.wait(60) == 143
        assert stopped.stdout
        assert stopped.stderr
        printed, messages = stopped.stdout.read(), stopped.stderr.read()
    assert "Exception ignored in" in messages
    assert messages.endswith(f"rollsignal: error: {MESSAGE}\n")
    if name == "run":
        assert job.metrics() == published(printed) == error("v1", MESSAGE)


def process(code: str, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", code, str(ROOT), *arguments],
        env=ENVIRONMENT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    )


def stopped(job: Job, monkeypatch: pytest.MonkeyPatch, batches: Iterator[Batch]) -> None:
    """Run a job whose reader has these batches, and see that it ends as one that is stopped."""
    monkeypatch.setattr(TextReader, "batches", lambda _: batches)
    assert job.run() == 143
    assert job.metrics() == error("v1", MESSAGE)
    assert "traceback" not in job.log.read_text()
    assert " job failed exit_code=143 " in job.events()[-2]
    assert " job ended status=error " in job.events()[-1]


class Panic(BaseException):
    """What a compiled library raises instead of an exception that it does not expect."""


@pytest.mark.parametrize(
    "problem", [Panic("unwrap"), DataError("not whole"), OSError(), KeyError()]
)
def test_any_error_that_a_stop_causes_is_reported_as_the_stop(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, problem: BaseException
) -> None:
    def batches() -> Iterator[Batch]:
        try:
            signal.raise_signal(signal.SIGTERM)
        except BaseException:
            raise problem from None
        yield from ()

    stopped(Job(tmp_path), monkeypatch, batches())


def test_what_must_be_cleaned_up_is_not_cut_in_half(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps = []

    def batches() -> Iterator[Batch]:
        try:
            signal.raise_signal(signal.SIGTERM)
        finally:
            signal.raise_signal(signal.SIGALRM)
            steps.append("cleaned up")
        yield from ()

    def replace(path: str, content: str) -> None:
        signal.raise_signal(signal.SIGALRM)
        original(path, content)
        steps.append("told")

    original = files.replace
    monkeypatch.setattr("rollsignal.outputs.metrics.replace", replace)
    stopped(Job(tmp_path), monkeypatch, batches())
    assert steps == ["cleaned up", "told"]


@pytest.mark.parametrize("step", ["made", "opened"])
def test_signals_that_are_hardly_begun_leave_no_litter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    def stopping(*_: object) -> None:
        signal.raise_signal(signal.SIGTERM)

    def making(path: str, *mode: int) -> None:
        make(path, *mode)
        if path.endswith(".tmp"):
            monkeypatch.undo()
            stopping()

    make = os.mkdir
    if step == "made":
        monkeypatch.setattr(os, "mkdir", making)
    else:
        monkeypatch.setattr(signals_text, "open", stopping, raising=False)
    job = Job(tmp_path)
    assert job.run(f"--signals={tmp_path}/s.csv") == 143
    assert sorted(os.listdir(tmp_path)) == ["bars.csv", "config.yaml", "metrics.json", "run.log"]


# A run that is stopped in Python code that the compiled code of polars calls.
CALLED_BACK = """
import signal, sys
sys.path.insert(0, sys.argv[1])
import polars as pl
from rollsignal.cli.main import main
from rollsignal.readers import columnar as frames

def init(self, *arguments):
    if signal.getsignal(signal.SIGTERM) != signal.SIG_IGN:
        signal.raise_signal(signal.SIGTERM)
    original(self, *arguments)

# As if it were code of polars.
original = pl.Datetime.__init__
pl.Datetime.__init__ = type(init)(init.__code__, vars(sys.modules[pl.Datetime.__module__]) | {
    "signal": signal, "original": original
})
# Without the wait it would go on only when the signal comes again.
frames.find_column = lambda *_: signal.pause()
sys.exit(main(["run", *sys.argv[2:]]))
"""


def test_a_stop_in_the_middle_of_polars_waits_for_its_end(tmp_path: Path) -> None:
    job = Job(tmp_path)
    times = [datetime(2024, 1, day) for day in (1, 2, 3)]
    job.input = tmp_path / "bars.parquet"
    pl.DataFrame({"timestamp": times, "close": [1.0, 2.0, 3.0]}).write_parquet(job.input)
    with process(CALLED_BACK, *job.arguments()) as run:
        printed, messages = run.communicate(timeout=60)
    assert (run.returncode, messages) == (143, f"rollsignal: error: {MESSAGE}\n")
    assert job.metrics() == published(printed) == error("v1", MESSAGE)


def test_a_run_that_has_failed_is_not_stopped_any_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def replace(path: str, content: str) -> None:
        signal.raise_signal(signal.SIGTERM)
        original(path, content)

    original = files.replace
    monkeypatch.setattr("rollsignal.outputs.metrics.replace", replace)
    job = Job(tmp_path, "close\n1\n1x\n")
    assert job.run() == 65
    assert str(job.metrics()["error_message"]).endswith("close is '1x', not a number")


def test_a_module_is_imported_to_its_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "stopping.py").write_text("import signal\nsignal.raise_signal(15)\nis_whole = 1\n")
    monkeypatch.syspath_prepend(tmp_path)

    def batches() -> Iterator[Batch]:
        import stopping  # type: ignore[import-not-found]  # made here

        assert stopping.is_whole
        signal.raise_signal(signal.SIGALRM)
        yield from ()

    stopped(Job(tmp_path), monkeypatch, batches())


def test_where_there_is_no_timer_a_stop_comes_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def batches() -> Iterator[Batch]:
        try:
            raise KeyError
        except KeyError:
            signal.raise_signal(signal.SIGTERM)
        raise AssertionError
        yield

    monkeypatch.setattr(stop, "_CAN_WAIT", False)
    stopped(Job(tmp_path), monkeypatch, batches())


@pytest.fixture
def listening_stop() -> Iterator[Stop]:
    """Yield a stop that receives the signals of this process, until the test ends."""
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGALRM)
    handlers = {number: signal.getsignal(number) for number in numbers}
    listening = Stop()
    listening.listen()
    yield listening
    listening.end()
    for number, handler in handlers.items():
        signal.signal(number, handler)


def test_an_error_is_not_handled_forever(
    listening_stop: Stop, monkeypatch: pytest.MonkeyPatch
) -> None:
    times = iter([0, 0.1, stop.PATIENCE_S - 0.1, stop.PATIENCE_S])
    monkeypatch.setattr(stop, "perf_counter", lambda: next(times))
    # This test needs no timer.
    monkeypatch.setattr(signal, "setitimer", lambda *_: None)

    def handle() -> None:
        try:
            raise KeyError
        except KeyError:
            signal.raise_signal(signal.SIGTERM)
            signal.raise_signal(signal.SIGALRM)
            signal.raise_signal(signal.SIGALRM)
        raise AssertionError

    with pytest.raises(KeyboardInterrupt, match=MESSAGE):
        handle()
    assert isinstance(listening_stop.noticed(KeyError()), StoppedError)


def test_an_error_without_a_stop_is_reported_as_it_is(listening_stop: Stop) -> None:
    problem = KeyError()
    assert listening_stop.noticed(problem) is problem
    signal.raise_signal(signal.SIGTERM)


def test_after_its_end_nothing_is_stopped(listening_stop: Stop) -> None:
    listening_stop.end()
    signal.raise_signal(signal.SIGINT)
    signal.raise_signal(signal.SIGTERM)


def test_from_python_a_run_leaves_signals_to_the_program(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGALRM)
    before = [signal.getsignal(number) for number in numbers]
    batches, during = TextReader.batches, []

    def listening(reader: TextReader) -> object:
        during.append([signal.getsignal(number) for number in numbers])
        return batches(reader)

    monkeypatch.setattr(TextReader, "batches", listening)
    job = Job(tmp_path)
    metrics = rollsignal.run(str(job.input), str(job.config), str(job.output), str(job.log))
    assert metrics["status"] == "success"
    assert during == [before]
    assert [signal.getsignal(number) for number in numbers] == before


# A command that is stopped when it has its result.
LATE = """
import os, signal, sys
sys.path.insert(0, sys.argv[1])
from rollsignal.cli import main as cli

def print_result(text):
    os.kill(os.getpid(), signal.SIGTERM)

cli.print_result = print_result
sys.exit(cli.main(sys.argv[2:]))
"""


@pytest.mark.parametrize("name", ["check", "diff", "explain", "sample", "schema", "verify", "plan"])
def test_every_command_is_stopped_in_the_same_way(tmp_path: Path, name: str) -> None:
    job = Job(tmp_path)
    record, bars = f"--record={tmp_path}/r.json", f"--input={job.input}"
    assert job.run(record) == 0
    path, config = record.partition("=")[2], f"--config={job.config}"
    flags = {
        "check": ["check", bars],
        "diff": ["diff", path, path],
        "explain": ["explain", bars, config, "--at", "row:3"],
        "sample": ["sample"],
        "schema": ["schema", "config"],
        "verify": ["verify", path],
        "plan": ["run", "--dry-run", *job.arguments()],
    }
    before = job.output.read_bytes()
    with process(LATE, *flags[name]) as late:
        printed, messages = late.communicate(timeout=60)
    told = "" if name != "check" else f"rollsignal: warning: {UNTIMED}\n"
    assert (late.returncode, printed) == (143, "")
    assert messages == f"{told}rollsignal: error: {MESSAGE}\n"
    assert job.output.read_bytes() == before


def test_a_stop_does_not_wait_until_somebody_reads_the_rest() -> None:
    code = "import sys; sys.path.insert(0, sys.argv[1]); from rollsignal.cli.main import main; "
    with process(code + "sys.exit(main(sys.argv[2:]))", "sample", "--rows=1000000") as stalled:
        assert stalled.stdout
        assert stalled.stderr
        assert stalled.stdout.read(1)
        os.kill(stalled.pid, signal.SIGTERM)
        assert stalled.wait(60) == 143
        assert stalled.stderr.read() == f"rollsignal: error: {MESSAGE}\n"
