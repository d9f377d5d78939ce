"""Runs that are killed, and whose calls fail, leave what they promise; the tool would find more."""

from __future__ import annotations

import csv
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest

from faults import points, power, traces
from faults.__main__ import main
from faults.history import SYMBOLS, WINDOW, history
from faults.judging import COLUMNS, Excuse, Finding, of_ended, of_killed, of_nights
from faults.kills import kills
from faults.remains import litter
from faults.runs import Ended
from faults.scenes import NIGHTS, SHORT, SMALL, Scene, Stage
from faults.table import listed, table
from faults.traces import Call, calls, is_of_files, struck
from faults.trials import Trial, trials
from tests.support import oracle

needs_strace = pytest.mark.skipif(bool(traces.missing()), reason=traces.missing())
ERROR = '{"version": "faults", "status": "error", "error_message": "why"}'


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Stage:
    return Stage(tmp_path_factory.mktemp("stage"), SMALL, Random(7))


@pytest.fixture(scope="module")
def scene(stage: Stage) -> Scene:
    return stage.scene("state")


@pytest.fixture(scope="module")
def plain(stage: Stage) -> Scene:
    return stage.scene("csv")


@pytest.fixture(scope="module")
def traced(scene: Scene, plain: Scene) -> list[tuple[Scene, list[Call]]]:
    return [(each, points.traced(each)) for each in (scene, plain)]


@pytest.fixture
def ended(scene: Scene, tmp_path: Path) -> Path:
    """Return a folder as an undisturbed night leaves it."""
    return Path(shutil.copytree(scene.base.with_name("base, once"), tmp_path / "ended"))


@needs_strace
def test_killed_at_every_seventh_point_nothing_is_wrong(
    traced: list[tuple[Scene, list[Call]]],
) -> None:
    chosen = [point for each, found in traced for point in points.crash_points(each, found)][::7]
    seen = list(trials(chosen, most_nights=1))
    assert listed(seen) == []
    assert len(seen) >= 8
    assert all(trial.is_struck for trial in seen)


@needs_strace
def test_where_every_sixtieth_call_fails_nothing_is_wrong(
    traced: list[tuple[Scene, list[Call]]],
) -> None:
    chosen = [point for each, found in traced for point in points.failures(each, found)][::60]
    seen = list(trials(chosen, most_nights=1))
    assert listed(seen) == []
    assert len(seen) >= 8


STRUCK_BY_TURNS = """\
11 write(5</out/run.log>, "{}"..., 259) = 259
12 write(7<anon_inode:[eventfd]>, "\\1", 8 <unfinished ...>
11 write(5</out/run.log>, "{}"..., 42) = -1 EIO (Input/output error) (INJECTED)
12 <... write resumed>) = -1 EIO (Input/output error) (INJECTED)
"""


def test_a_fault_that_struck_the_waking_of_a_thread_is_told_from_others(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text(STRUCK_BY_TURNS)
    of_the_log, waking = struck(log)
    assert "run.log" in of_the_log
    assert is_of_files([of_the_log])
    assert not is_of_files([of_the_log, waking])
    assert not is_of_files(["11 mmap(NULL, 4096, PROT_READ, MAP_ANONYMOUS, -1, 0) = -1"])


def test_kills_at_random_leave_what_they_promise(scene: Scene) -> None:
    seen = list(trials(kills([scene], 4, Random(7)), most_nights=1))
    assert (listed(seen), len(seen)) == ([], 4)


def test_the_signals_of_an_undisturbed_run_are_those_of_fractions(
    plain: Scene, stage: Stage
) -> None:
    with (plain.base.with_name("base, one more") / "signals.csv").open() as file:
        rows = [row for row in csv.DictReader(file) if row["signal"]]
    signals = {
        name: [row["signal"] == "1" for row in rows if row["symbol"] == name] for name in SYMBOLS
    }
    assert signals == stage.bars.signals()


def test_a_history_is_cut_anywhere_and_lacks_nothing(tmp_path: Path) -> None:
    bars = history(tmp_path / "bars", 2, 30, 4, Random(1))
    rows = [row for path in bars.files for row in path.read_text().splitlines()[1:]]
    assert len(rows) == bars.rows == 2 * 30 * len(SYMBOLS)
    for symbol, closes in bars.closes.items():
        assert [row.split(",")[2] for row in rows if row.split(",")[1] == symbol] == closes
        right = oracle.signals(oracle.prices(closes), WINDOW)[WINDOW - 1 :]
        assert bars.signals()[symbol] == [signal == 1 for signal in right]


def test_what_the_night_before_and_an_undisturbed_one_leave_is_right(
    scene: Scene, ended: Path
) -> None:
    assert scene.former != scene.whole
    assert of_killed(scene, ended) == of_killed(scene, scene.base) == []
    success = Ended(0, '{"status": "success"}', "")
    assert of_ended(scene, ended, success, Excuse()) == []


def half_of_the_summary(folder: Path) -> None:
    path = folder / "summary.csv"
    path.write_bytes(path.read_bytes()[:50])


def half_of_the_metrics(folder: Path) -> None:
    (folder / "metrics.json").write_text('{"status": "succ')


def other_metrics(folder: Path) -> None:
    metrics = json.loads((folder / "metrics.json").read_text())
    (folder / "metrics.json").write_text(json.dumps({**metrics, "value": 0.1}))


def half_of_the_state(folder: Path) -> None:
    path = folder / "s.state"
    path.write_bytes(path.read_bytes()[:-9])


def lost_summary(folder: Path) -> None:
    (folder / "summary.csv").unlink()


def lost_state(folder: Path) -> None:
    (folder / "s.state").unlink()


def odd_file(folder: Path) -> None:
    (folder / "summary.csv.new").touch()


@pytest.mark.parametrize(
    ("damage", "column", "name"),
    [
        (half_of_the_summary, "half", "summary.csv"),
        (half_of_the_metrics, "half", "metrics.json"),
        (other_metrics, "half", "metrics.json"),
        (half_of_the_state, "half", "s.state"),
        (lost_summary, "false success", "summary.csv"),
        (lost_state, "lost", "s.state"),
        (odd_file, "half", "summary.csv.new"),
    ],
)
def test_damaged_outputs_are_found(
    scene: Scene, ended: Path, damage: Callable[[Path], None], column: str, name: str
) -> None:
    damage(ended)
    found = of_killed(scene, ended)
    assert any(finding.column == column and name in finding.text for finding in found), found


@pytest.mark.parametrize(
    ("run", "column"),
    [
        (Ended(None, "", ""), "never ends"),
        (Ended(1, ERROR, "a traceback"), "a bug"),
        (Ended(65, ERROR, "bad data"), "wrong code"),
        (Ended(74, ERROR, "a disk failed"), "false success"),
        (Ended(0, "", ""), "no metrics"),
    ],
)
def test_a_wrong_end_of_a_run_is_found(scene: Scene, ended: Path, run: Ended, column: str) -> None:
    assert column in [finding.column for finding in of_ended(scene, ended, run, Excuse())]


def test_a_success_that_has_not_done_everything_is_found(scene: Scene, ended: Path) -> None:
    lost_summary(ended)
    (ended / ".s.state.lock").touch()
    success = Ended(0, '{"status": "success"}', "")
    assert of_ended(scene, ended, success, Excuse()) == [
        Finding("not done", "0, although summary.csv differ"),
        Finding("left over", ".s.state.lock"),
    ]


def test_litter_and_nights_that_fail_are_found(scene: Scene, ended: Path, tmp_path: Path) -> None:
    (ended / ".other").touch()
    (ended / "date=2024-01-01").mkdir()
    assert litter(ended) == [".other", "date=2024-01-01"]
    (ended / f".s.state.{os.getpid()}.{'0' * 16}.tmp").touch()
    folder = shutil.copytree(ended, tmp_path / "run")
    assert [text for _, text in of_nights(scene, folder, ended, ["same"])] == [
        *(".other is left", "date=2024-01-01 is left")
    ]
    half_of_the_state(ended)
    (failed,) = of_nights(scene, folder, ended, ["one more"])
    assert failed.text.startswith("the next night ended with 65")


TRACE = """\
7 openat(AT_FDCWD</>, "/lib/a.so", O_RDONLY) = 3</lib/a.so>
7 openat(AT_FDCWD</>, "/t/m.json", O_WRONLY|O_CREAT|O_EXCL, 0666) = 4</t/m.json>
9 openat(AT_FDCWD</>, "/t/of-a-thread-at-a-start", O_RDONLY <unfinished ...>
7 mkdir("/t", 0777) = -1 EEXIST (File exists)
9 <... openat resumed>) = 5</t/of-a-thread-at-a-start>
9 rename("/t/a", "/t/b") = 0
7 write(3</t/run.log>, "..."..., 94) = 94
7 unlink("/elsewhere/c") = 0
"""


def test_calls_are_counted_by_name_and_thread_and_those_of_a_folder_are_struck(
    tmp_path: Path,
) -> None:
    (tmp_path / "trace").write_text(TRACE.replace('"/t"', '"/t/"'))
    found = calls(tmp_path / "trace", Path("/t"))
    assert [(call.name, call.number, call.kind) for call in found] == [
        ("openat", 2, "create"),
        ("mkdir", 1, "mkdir"),
        ("rename", 1, "rename"),
        ("write", 1, "write"),
    ]
    assert [call.name for call in found if call.changes_files] == ["openat", "rename"]
    assert all(call.is_alone for call in found)
    beside = tmp_path / "beside"
    beside.write_text(TRACE + "9 write(8<anon_inode:[eventfd]>, ...) = 8\n")
    (other,) = [call for call in calls(beside, Path("/t")) if not call.is_alone]
    assert (other.name, other.may_last) == ("write", False)


def test_each_error_is_drawn_and_only_for_locks_an_interruption_for_ever(scene: Scene) -> None:
    for name, errors in (("flock", 6), ("read", 5), ("mkdir", 10)):
        some = [Call(name, number, "") for number in range(1, 99)]
        chosen = {(point.error, point.for_ever) for point in points.failures(scene, some)}
        each = {
            (point.error, point.for_ever) for point in points.failures(scene, some[:1], each=True)
        }
        assert chosen == each
        assert len(each) == errors
        assert (("EINTR", True) in each) == (name == "flock")
    waking = Call("write", 1, "", may_last=False)
    assert not any(point.for_ever for point in points.failures(scene, [waking], each=True))


def test_the_table_counts_the_findings_of_each_group() -> None:
    bug = Finding("a bug", "why")
    seen = [
        Trial("a", True, [bug, bug, Finding("same", "other")], "first"),
        Trial("b", False, [], "second"),
    ]
    zeros = {column: "0" for column in COLUMNS}
    found = {**zeros, "a bug": "1", "same": "1"}
    assert table("calls", seen).splitlines()[2:] == [
        f"| {' | '.join(['a', '1', '1', *found.values()])} |",
        f"| {' | '.join(['b', '1', '0', *zeros.values()])} |",
        f"| {' | '.join(['all', '2', '1', *found.values()])} |",
    ]
    assert listed(seen) == ["first\n    a bug: why\n    a bug: why\n    same: other"]


def test_where_power_cannot_be_cut_the_reason_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    assert power.missing("ext4") == "images are mounted by root, where there are loop devices"
    monkeypatch.setattr("shutil.which", lambda name: None)
    assert traces.missing() == "there is no strace here (apt-get install strace)"


def test_without_strace_nothing_is_tried_which_fails_only_in_automatic_checks(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("shutil.which", lambda name: None)
    monkeypatch.setattr("sys.argv", ["faults"])
    monkeypatch.delenv("CI", raising=False)
    assert main() == 0
    monkeypatch.setenv("CI", "true")
    assert main() == 1
    told = "nothing was tried: there is no strace here (apt-get install strace)\n"
    assert capsys.readouterr().err == 2 * told


def test_the_short_form_has_kinds_that_there_are(stage: Stage) -> None:
    from faults.scenes import KILLED, KINDS

    assert set(SHORT) | set(KILLED) <= set(KINDS)
    assert NIGHTS == ("same", "without", "one more")
