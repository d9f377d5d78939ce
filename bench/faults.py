"""`python -m bench.faults` kills runs by SIGKILL at random times, and checks what they leave.

These are runs with --state (after a part of the history, or where it is restated), and runs with
--record. The expected outputs are those of one run over everything, whose signals are checked
against fractions. It prints how many runs were killed at which event of their log, and what was
wrong; if anything was, it ends with exit code 1.
"""

import argparse
import shutil
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from random import Random
from typing import NamedTuple

from bench.history import CONFIG, History, history
from bench.kills import NO_EVENT, Killer, Trial, command, measured, run, trials
from bench.remains import Scene, Whole, outputs
from rollsignal.outputs.record.document import load_record

SIGNALS = ("--signals=FOLDER/signals", "--partition-by=date")
CONTINUED = ("--state=FOLDER/s.state", *SIGNALS)
RECORDED = ("--record=FOLDER/record.json", "--signals=FOLDER/signals.parquet")
EVENTS = (
    *(NO_EVENT, "job started", "config verified", "history was restated", "decided again"),
    *("file read", "rows loaded", "rolling mean computed", "signals generated"),
    *("metrics summary", "job ended"),
)


class Size(NamedTuple):
    """How large a history is: its days, the bars of a symbol in each, and its files."""

    days: int
    bars_a_day: int
    files: int


class Stage:
    """What is needed to kill runs: a history, its expected outputs, and the scenes."""

    def __init__(self, folder: Path, size: Size, random: Random) -> None:
        self.folder = folder
        self.config = folder / "config.yaml"
        self.config.write_text(CONFIG + "on_restatement: recompute\n")
        self.bars = history(folder / "bars", *size, random)
        self.killer = Killer(folder, self.config)
        self.findings: list[str] = []
        whole = self._run("whole", SIGNALS, self.bars.files)
        recorded = self._run("recorded", RECORDED, self.bars.files)
        digest = load_record(str(recorded / "record.json")).digest or ""
        self.findings += wrong_signals(whole, self.bars)
        self.scenes = [
            *self._continued(Whole(outputs(whole), digest)),
            self._restated(Whole(outputs(whole), digest)),
            *self._recorded(Whole(outputs(recorded), digest)),
        ]
        self._measure()

    def _run(self, name: str, flags: tuple[str, ...], inputs: list[Path]) -> Path:
        """Run to the end in a new folder."""
        folder = self.folder / name
        folder.mkdir(exist_ok=True)
        if inputs and run(command(folder, self.config, inputs, flags)):
            raise RuntimeError((folder / "run.log").read_text())
        return folder

    def _continued(self, whole: Whole) -> list[Scene]:
        """Return scenes of runs that continue after no file, one file, two files and so on."""
        scenes = []
        files = self.bars.files
        for count in range(len(files)):
            base = self._run(f"after {count}", CONTINUED, files[:count])
            scenes.append(Scene(f"state after {count}", base, files, CONTINUED, whole))
        return scenes

    def _restated(self, whole: Whole) -> Scene:
        """Return the scene of a run that finds a restated bar, and decides everything again."""
        bars = self.folder / "restated bars"
        shutil.copytree(self.bars.files[0].parent, bars)
        files = [bars / path.name for path in self.bars.files]
        right = files[0].read_text()
        header, first, *rest = right.splitlines(keepends=True)
        files[0].write_text("".join([header, first[: first.rindex(",")], ",1.5\n", *rest]))
        base = self._run("before it is restated", CONTINUED, files)
        files[0].write_text(right)
        return Scene("state restated", base, files, CONTINUED, whole)

    def _recorded(self, whole: Whole) -> list[Scene]:
        """Return scenes of runs with a record: a first run, and one after a run over less."""
        files = self.bars.files
        before = {"record": files[:0], "record again": files[:-1]}
        bases = {name: self._run(f"before {name}", RECORDED, before[name]) for name in before}
        return [Scene(name, base, files, RECORDED, whole) for name, base in bases.items()]

    def _measure(self) -> None:
        runs = measured(self.killer, self.scenes)
        self.scenes = [scene for scene, _ in runs]
        self.findings += [f"unkilled: {finding}" for _, findings in runs for finding in findings]


SIZE = Size(days=10, bars_a_day=720, files=4)


def wrong_signals(folder: Path, bars: History) -> list[str]:
    """Compare the signals of a run with fractions of the closes as they are written."""
    import polars as pl

    table = pl.read_parquet(folder / "signals/date=*/signals.parquet", hive_partitioning=False)
    signals = {
        symbol: table.filter(symbol=symbol)["signal"].drop_nulls().cast(pl.Boolean).to_list()
        for symbol in bars.closes
    }
    if table.height != bars.rows or signals != bars.signals():
        return ["the signals of the whole run are not those of fractions"]
    return []


def table(seen: list[Trial]) -> str:
    """Return a table: how many runs were killed in each scene and at each event."""
    counts = Counter((trial.event, trial.scene) for trial in seen if trial.killed)
    scenes = sorted({trial.scene for trial in seen if trial.killed})
    more = sorted({event for event, _ in counts} - set(EVENTS))
    rows = {event: [counts[event, scene] for scene in scenes] for event in (*EVENTS, *more)}
    rows["kills"] = [sum(row) for row in zip(*rows.values(), strict=True)]
    head = ["last event in the log", *scenes, "all"]
    lines = [[event, *map(str, row), str(sum(row))] for event, row in rows.items() if any(row)]
    return "\n".join(f"| {' | '.join(line)} |" for line in (head, ["---"] * len(head), *lines))


def main() -> int:
    """Kill runs, and print what was found."""
    parser = argparse.ArgumentParser(prog="python -m bench.faults", description=__doc__)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=42)
    options = parser.parse_args()
    started = time.monotonic()
    folder = Path(tempfile.mkdtemp(prefix="rollsignal-faults-"))
    random = Random(options.seed)
    stage = Stage(folder, SIZE, random)
    seen = list(trials(stage.killer, stage.scenes, options.kills, random))
    print(table(seen))
    findings = [*stage.findings, *(finding for trial in seen for finding in trial.findings)]
    for finding in findings:
        print(finding)
    ended = sum(not trial.killed for trial in seen)
    minutes = (time.monotonic() - started) / 60
    print(f"{len(findings)} findings; {ended} runs ended before their kill; {minutes:.1f} minutes")
    if not findings:
        shutil.rmtree(folder)
    return int(bool(findings))


if __name__ == "__main__":
    sys.exit(main())
