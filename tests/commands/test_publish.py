"""A run is told to others, and nothing that happens to them can touch it."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from time import monotonic
from typing import Any

import pytest

from rollsignal.files.locks import held
from rollsignal.outputs.record.document import load_record
from rollsignal.publish.heartbeat import run_id
from tests.support.receivers import (
    SECRET,
    Monitor,
    closed_port,
    dripping,
    listening,
    monitor,
    processes_with,
    silent,
)
from tests.support.records import forged
from tests.support.shell import ENVIRONMENT, ROOT, TIMED, Finished, Recorded, command, strict_json

URL = "ROLLSIGNAL_HEARTBEAT_URL"
MARK = "ROLLSIGNAL_TEST_MARK"
# So that a busy machine does not end what has to arrive.
PATIENT = "publishing.TOTAL_S, publishing.START_S = 60.0, 40.0"
WARNED = re.compile(r"^rollsignal: warning: (not published: .*)$", re.MULTILINE)
GENEROUS_S = 15


class Told(Recorded):
    """A job whose run is told to others."""

    @property
    def metrics_file(self) -> Path:
        return self.folder / "btc.prom"

    def told(
        self, *more: str, url: str = "", first: str = PATIENT, mark: str = "", **options: Any
    ) -> Finished:
        """Run as a process that executes some code first."""
        lines = ["import sys", f"sys.path.insert(0, {str(ROOT)!r})"]
        lines += ["from rollsignal.commands import publishing", first]
        lines += ["from rollsignal.cli.main import main", "sys.exit(main(sys.argv[1:]))"]
        code = "\n".join(lines)
        environment = {name: value for name, value in ENVIRONMENT.items() if name != URL}
        done: Finished = subprocess.run(
            [sys.executable, "-c", code, "run", *self.arguments(f"--record={self.record}", *more)],
            cwd=self.folder,
            encoding="utf-8",
            timeout=120,
            check=False,
            env=environment | ({URL: url} if url else {}) | {MARK: mark},
            **({"stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | options),
        )
        return done

    def samples(self) -> dict[str, str]:
        lines = self.metrics_file.read_text().splitlines()
        pairs = [line.rpartition(" ") for line in lines if not line.startswith("#")]
        return {name.partition("{")[0]: value for name, _, value in pairs}


@pytest.fixture
def files(tmp_path: Path) -> Told:
    return Told(tmp_path, TIMED)


BOTH = ("--publish", "heartbeat", "prometheus=btc.prom")


def test_a_run_tells_of_its_start_and_its_success(files: Told) -> None:
    with monitor() as check:
        done = files.told(*BOTH, url=check.url)
    assert (done.returncode, done.stderr) == (0, "")
    assert check.told() == ["start", "0"]
    assert {each.rid for each in check.received} == {run_id(load_record(str(files.record)))}
    assert strict_json(check.received[1].body.decode()) == files.metrics()
    assert strict_json(done.stdout) == files.metrics() == files.read()["metrics"]
    assert files.samples()["rollsignal_rows"] == "8"
    assert "not published" not in files.log.read_text()


def test_a_failure_is_told_and_leaves_the_metrics_of_the_success(files: Told) -> None:
    with monitor() as check:
        assert files.told(*BOTH, url=check.url).returncode == 0
        before = files.samples()
        files.input.unlink()
        assert files.told(*BOTH, url=check.url).returncode == 66
    assert check.told() == ["start", "0", "start", "66"]
    after = files.samples()
    assert (before["rollsignal_last_exit_code"], after["rollsignal_last_exit_code"]) == ("0", "66")
    kept = ("last_success_timestamp_seconds", "rows", "newest_bar_timestamp_seconds")
    assert all(after[f"rollsignal_{name}"] == before[f"rollsignal_{name}"] for name in kept)
    assert (
        after["rollsignal_last_run_timestamp_seconds"]
        > before["rollsignal_last_run_timestamp_seconds"]
    )


def test_a_night_in_which_nothing_changed_is_a_success_of_now(files: Told) -> None:
    with monitor() as check:
        files.told(*BOTH, url=check.url)
        recorded, before = files.record.read_bytes(), files.samples()
        assert files.told(*BOTH, "--if-changed", url=check.url).returncode == 0
    assert check.told() == ["start", "0", "0"]
    assert check.received[2].rid != check.received[0].rid
    assert files.record.read_bytes() == recorded
    after = files.samples()
    name = "rollsignal_last_success_timestamp_seconds"
    assert float(after[name]) > float(before[name])
    assert after["rollsignal_rows"] == before["rollsignal_rows"]


def test_a_run_that_another_run_keeps_from_writing_publishes_nothing(files: Told) -> None:
    with monitor() as check, held([str(files.output)]):
        assert files.told(*BOTH, url=check.url).returncode == 75
    assert check.told() == []
    assert not files.metrics_file.exists()


@pytest.mark.parametrize(
    "flags",
    [
        ("--publish", "heartbeat", "--inptu=x"),
        ("--publish", "prometheus=btc.prom", "heartbeat", "--inptu=x"),
        ("--inptu", "--publish=heartbeat"),
        ("--publish", "heartbeat", "pager"),
        ("--publish=heartbeat", "--publish=prometheus=btc.prom"),
    ],
)
def test_of_a_wrong_command_line_the_heartbeat_is_sent_if_it_can_be_made_out(
    files: Told, flags: tuple[str, ...]
) -> None:
    with monitor() as check:
        assert files.told(*flags, url=check.url).returncode == 2
    assert check.told() == ["2"]
    assert strict_json(check.received[0].body.decode()) == files.metrics()
    assert not files.metrics_file.exists()


def test_a_wrong_command_line_without_a_heartbeat_is_told_to_nobody(files: Told) -> None:
    done = files.told("--publish", "prometheus=btc.prom", "--inptu=heartbeat")
    assert done.returncode == 2
    assert not files.metrics_file.exists()
    assert WARNED.findall(done.stderr) == []


def test_publish_needs_a_record(files: Told) -> None:
    assert command("run", *files.arguments("--publish", "prometheus=btc.prom")) == 2


def test_a_record_that_cannot_be_written_does_not_silence_the_heartbeat(files: Told) -> None:
    files.record.symlink_to("/dev/full")
    with monitor() as check:
        assert files.told("--publish", "heartbeat", url=check.url).returncode == 73
    assert check.told() == ["73"]


def test_metrics_that_cannot_be_printed_are_told_as_a_failure_of_the_same_run(files: Told) -> None:
    with monitor() as check, open("/dev/full", "w") as full:
        assert files.told("--publish", "heartbeat", url=check.url, stdout=full).returncode == 74
    assert check.told() == ["start", "74"]
    assert len({each.rid for each in check.received}) == 1


def test_a_run_that_is_stopped_tells_so(files: Told) -> None:
    stop = "import os, signal, rollsignal.commands.run as r\ndef _stopped(*_):\n"
    stop += " os.kill(os.getpid(), signal.SIGTERM)\nr._decide = _stopped"
    with monitor() as check:
        done = files.told("--publish", "heartbeat", url=check.url, first=f"{PATIENT}\n{stop}")
    assert done.returncode == 143
    assert check.told() == ["start", "143"]


def test_no_url_is_in_the_log_the_record_or_a_command_line(files: Told) -> None:
    with monitor(500) as check:
        done = files.told(*BOTH, "-v", url=check.url)
    assert done.returncode == 0
    assert check.told() == ["start", "0"]
    written = [files.log.read_text(), files.record.read_text(), done.stderr, done.stdout]
    assert [text for text in written if SECRET in text or "127.0.0.1" in text] == []
    assert any(b"publish\0-\0heartbeat" in line for line in check.commands)
    assert not [line for line in check.commands if SECRET.encode() in line]


@contextmanager
def at(answer: Any) -> Iterator[str]:
    with listening(answer) as port:
        yield f"http://127.0.0.1:{port}/{SECRET}"


def answering_500() -> AbstractContextManager[str]:
    @contextmanager
    def served() -> Iterator[str]:
        with monitor(500) as check:
            yield check.url

    return served()


BAD: dict[str, Callable[[], AbstractContextManager[str]]] = {
    "closed": lambda: nullcontext(f"http://127.0.0.1:{closed_port()}/{SECRET}"),
    "silent": lambda: at(silent),
    "dripping": lambda: at(dripping),
    "500": answering_500,
    "unresolvable": lambda: nullcontext(f"http://{SECRET}.invalid/"),
    "unset": lambda: nullcontext(""),
}


def left(files: Told) -> dict[str, object]:
    """Return what a run leaves, without the times in it."""
    metrics = files.metrics()
    metrics.pop("latency_ms", None)
    record = files.read()
    record["metrics"].pop("latency_ms", None)
    kept = ("tally", "digest", "checks", "warnings", "error", "config", "status", "metrics")
    signals = (files.folder / "signals.csv").read_bytes()
    return {"metrics": metrics, "signals": signals} | {name: record[name] for name in kept}


@pytest.mark.parametrize("kind", BAD)
def test_no_target_can_touch_a_run(files: Told, kind: str) -> None:
    (files.folder / "file").write_text("")
    signals = "--signals=signals.csv"
    assert files.told(signals).returncode == 0
    expected = left(files)
    with BAD[kind]() as url:
        began = monotonic()
        flags = (signals, "--publish", "heartbeat", "prometheus=file/btc.prom")
        done = files.told(*flags, url=url, first="", mark=f"{kind}-{os.getpid()}")
        assert monotonic() - began < GENEROUS_S
        assert processes_with(MARK, f"{kind}-{os.getpid()}") == []
    assert done.returncode == 0
    assert left(files) == expected
    (warning,) = WARNED.findall(done.stderr)
    assert "heartbeat (" in warning
    assert [warning in line for line in files.events()].count(True) == 1
    written = [files.log.read_text(), files.record.read_text(), done.stderr, done.stdout]
    assert [text for text in written if SECRET in text or "127.0.0.1" in text] == []


@pytest.mark.parametrize(
    ("child", "reason"),
    [
        ("import os; os.kill(os.getpid(), 9)", "its process was ended by signal 9"),
        ("raise SystemExit(3)", "its process ended with exit code 3"),
        ("import time; time.sleep(60)", "no answer in time"),
    ],
)
def test_a_process_that_does_not_publish_is_a_warning(files: Told, child: str, reason: str) -> None:
    first = f"publishing._PROGRAM_OF_CHILD = {child!r}"
    if "sleep" not in child:
        first += f"; {PATIENT}"
    began = monotonic()
    done = files.told(*BOTH, first=first, mark=f"child-{os.getpid()}")
    assert done.returncode == 0
    assert monotonic() - began < GENEROUS_S
    assert processes_with(MARK, f"child-{os.getpid()}") == []
    (warning,) = WARNED.findall(done.stderr)
    assert f"at the start: heartbeat ({reason})" in warning
    assert f"prometheus ({reason})" in warning
    assert files.metrics()["status"] == "success"


def test_a_process_that_cannot_be_started_is_a_warning(files: Told) -> None:
    done = files.told(*BOTH, first="sys.executable = '/nowhere/python'")
    assert done.returncode == 0
    (warning,) = WARNED.findall(done.stderr)
    reason = "no process could be started: No such file or directory"
    assert warning == (
        f"not published: at the start: heartbeat ({reason}), heartbeat, prometheus ({reason})"
    )


def test_a_run_that_was_killed_is_told_by_nobody_and_the_next_ones_say_so(
    files: Told, capsys: pytest.CaptureFixture[str]
) -> None:
    kill = "import os, rollsignal.commands.run as r\ndef _killed(*_):\n"
    kill += " os.kill(os.getpid(), 9)\nr._decide = _killed"
    targets = ("--publish", "prometheus=btc.prom")
    assert files.told(*targets, first=kill).returncode == -signal.SIGKILL
    assert not files.metrics_file.exists()
    assert command("publish", str(files.record), "prometheus=x.prom") == 65
    assert "did not end, so nothing was published" in capsys.readouterr().err
    assert "did not end" in files.told(*targets).stderr
    assert files.samples()["rollsignal_last_exit_code"] == "0"


class TestAlone:
    """Facts about `publish` as a command of its own."""

    @pytest.fixture
    def record(self, files: Told, monkeypatch: pytest.MonkeyPatch) -> Path:
        monkeypatch.chdir(files.folder)
        assert files.run() == 0
        return files.record

    def publish(self, record: Path, *more: str, url: str = "", text: str | None = None) -> Finished:
        environment = {name: value for name, value in ENVIRONMENT.items() if name != URL}
        done: Finished = subprocess.run(
            [sys.executable, "-m", "rollsignal", "publish", str(record), *more],
            cwd=ROOT,
            env=environment | ({URL: url} if url else {}),
            capture_output=True,
            encoding="utf-8",
            timeout=120,
            check=False,
            input=text,
        )
        return done

    def test_it_tells_of_the_record_again_elsewhere_and_later(self, record: Path) -> None:
        copy = record.with_name("copy.json")
        copy.write_bytes(record.read_bytes())
        with monitor() as check:
            for _ in range(2):
                done = self.publish(copy, "heartbeat", "--timeout=60", url=check.url)
                assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
        assert check.told() == ["0", "0"]
        assert check.received[0] == check.received[1]

    def test_it_exits_with_74_if_one_target_failed_and_tells_the_others(self, record: Path) -> None:
        prom = record.with_name("btc.prom")
        with monitor(500) as check:
            done = self.publish(
                record, "heartbeat", f"prometheus={prom}", "--timeout=60", url=check.url
            )
        assert done.returncode == 74
        assert done.stderr == ("rollsignal: error: not published: heartbeat (it answered 500)\n")
        assert prom.exists()

    def test_a_variable_that_is_not_set_is_a_target_that_failed(self, record: Path) -> None:
        done = self.publish(record, "heartbeat", "--timeout=60")
        assert (done.returncode, f"heartbeat ({URL} is not set)" in done.stderr) == (74, True)

    def test_it_waits_no_longer_than_it_is_told(self, record: Path) -> None:
        with listening(silent) as port:
            began = monotonic()
            url = f"http://127.0.0.1:{port}/"
            done = self.publish(record, "heartbeat", "--timeout=0.1", url=url)
            assert monotonic() - began < GENEROUS_S
        assert (done.returncode, "no answer in time" in done.stderr) == (74, True)

    def test_a_record_on_standard_input_is_told_as_it_is(self, record: Path) -> None:
        with monitor() as check:
            done = self.publish(
                Path("-"), "heartbeat", "--timeout=60", url=check.url, text=record.read_text()
            )
        assert (done.returncode, check.told()) == (0, ["0"])

    @pytest.mark.parametrize("target", ["pager", "prometheus=btc.txt", "heartbeat=https://x"])
    def test_what_is_no_target_is_a_wrong_command_line(self, record: Path, target: str) -> None:
        assert command("publish", str(record), target) == 2

    def test_what_is_no_record_is_refused(self, record: Path) -> None:
        assert command("publish", "none.json", "prometheus=btc.prom") == 66
        assert command("publish", "metrics.json", "prometheus=btc.prom") == 65
        assert not record.with_name("btc.prom").exists()

    def test_a_run_that_goes_on_is_not_told_of_yet(
        self, record: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        document = strict_json(record.read_text()) | {"status": "running"}

        record.write_text(forged(document))
        with held([str(record)]):
            assert command("publish", str(record), "prometheus=btc.prom") == 75
        assert "has not ended yet" in capsys.readouterr().err


def test_the_monitor_of_these_tests_refuses_what_healthchecks_does_not_have() -> None:
    import urllib.request

    def tell(check: Monitor) -> None:
        urllib.request.urlopen(f"{check.url}/256?rid={'0' * 32}", b"").close()

    with pytest.raises(AssertionError), monitor() as check:
        tell(check)
