"""Killed runs leave only whole files, and the bench would find any other."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest

from bench.faults import EVENTS, Size, Stage, table, wrong_signals
from bench.history import SYMBOLS, WINDOW, history
from bench.kills import Trial, trials
from bench.remains import looked_at
from tests.support import oracle


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Stage:
    return Stage(tmp_path_factory.mktemp("stage"), Size(3, 40, 2), Random(7))


@pytest.fixture(scope="module")
def ended(stage: Stage) -> dict[str, Path]:
    """Return a folder for each kind of run, with what it leaves at its end."""
    folders = {}
    for scene in stage.scenes:
        folders[scene.name] = stage.folder / f"{scene.name} measured"
        assert looked_at(scene, folders[scene.name]) == []
    return folders


def test_killed_runs_leave_whole_files_and_can_be_continued(stage: Stage) -> None:
    seen = list(trials(stage.killer, stage.scenes, 10, Random(7)))
    assert [finding for trial in seen for finding in trial.findings] == []
    assert sum(trial.killed for trial in seen) == 10


def test_runs_that_are_not_killed_are_right(stage: Stage) -> None:
    assert stage.findings == []
    assert all(scene.seconds > 0 for scene in stage.scenes)


def test_a_history_is_cut_anywhere_and_lacks_nothing(tmp_path: Path) -> None:
    bars = history(tmp_path / "bars", 2, 30, 4, Random(1))
    rows = [row for path in bars.files for row in path.read_text().splitlines()[1:]]
    assert len(rows) == bars.rows == 2 * 30 * len(SYMBOLS)
    for symbol, closes in bars.closes.items():
        assert [row.split(",")[2] for row in rows if row.split(",")[1] == symbol] == closes
        right = oracle.signals(oracle.prices(closes), WINDOW)[WINDOW - 1 :]
        assert bars.signals()[symbol] == [signal == 1 for signal in right]


def half_of_the_summary(folder: Path) -> None:
    path = folder / "summary.csv"
    path.write_bytes(path.read_bytes()[:50])


def half_of_a_partition(folder: Path) -> None:
    path = folder / "signals/date=2024-01-02/signals.parquet"
    path.write_bytes(path.read_bytes()[:-9])


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


def odd_file(folder: Path) -> None:
    (folder / "summary.csv.new").touch()


@pytest.mark.parametrize(
    ("damage", "finding"),
    [
        (half_of_the_summary, "summary.csv is not that of the run before, nor that of a whole run"),
        (
            half_of_a_partition,
            "signals/date=2024-01-02/signals.parquet is not that of the run before, nor",
        ),
        (half_of_the_metrics, "metrics.json is not that of the run before, nor"),
        (other_metrics, "metrics.json is not that of the run before, nor"),
        (half_of_the_state, "s.state: "),
        (lost_summary, "the metrics say success before all outputs are written"),
        (odd_file, "summary.csv.new is not that of the run before, nor"),
    ],
)
def test_damaged_outputs_are_found(
    stage: Stage,
    ended: dict[str, Path],
    tmp_path: Path,
    damage: Callable[[Path], None],
    finding: str,
) -> None:
    scene = stage.scenes[0]
    folder = shutil.copytree(ended[scene.name], tmp_path / "damaged")
    damage(folder)
    assert looked_at(scene, folder)[0].startswith(finding)


def test_a_record_of_another_run_is_found(stage: Stage, ended: dict[str, Path]) -> None:
    scene = next(scene for scene in stage.scenes if scene.name == "record")
    folder = ended["record"]
    record = (folder / "record.json").read_text()
    for before, after, finding in (
        ('"status": "success"', '"status": "error"', "record.json: "),
        (scene.whole.digest, "0" * 32, f"the record says success, with the digest {'0' * 32}"),
    ):
        (folder / "record.json").write_text(record.replace(before, after))
        assert looked_at(scene, folder)[0].startswith(finding)
    (folder / "record.json").write_text(record)
    (folder / "signals.parquet").write_bytes(b"")
    assert f"{folder}/signals.parquet is not what the record says" in looked_at(scene, folder)


def test_litter_and_runs_that_fail_are_found(stage: Stage) -> None:
    scene = stage.scenes[0]
    folder = stage.killer.copied(scene, "littered")
    (folder / ".other").touch()
    assert stage.killer.ended(scene, folder) == [".other is left"]
    broken = scene._replace(inputs=[folder / "none.csv"])
    assert stage.killer.ended(broken, folder) == ["the next run ended with 66"]


def test_signals_that_differ_from_fractions_are_found(stage: Stage) -> None:
    bars = stage.bars
    assert wrong_signals(stage.folder / "whole", bars) == []
    closes = {**bars.closes, "A": bars.closes["A"][::-1]}
    assert wrong_signals(stage.folder / "whole", bars._replace(closes=closes)) != []


def test_the_table_counts_the_kills_of_each_event_and_scene() -> None:
    seen = [
        *[Trial("a", True, EVENTS[1], [])] * 2,
        Trial("b", True, "something told", []),
        Trial("b", False, "job ended", []),
    ]
    assert table(seen).splitlines()[2:] == [
        *(
            "| job started | 2 | 0 | 2 |",
            "| something told | 0 | 1 | 1 |",
            "| kills | 2 | 1 | 3 |",
        )
    ]
