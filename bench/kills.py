"""Kill runs at random moments: what they leave is whole, and the next run goes on to the same bits.

A scene is a kind of run with the folder that it starts from. For every kill the folder is copied,
a run is started in the copy and killed by SIGKILL, what is there is looked at, and the same run is
done once more, to its end.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path
from random import Random
from typing import NamedTuple

from bench.data import ROOT
from bench.remains import Scene, is_of_a_process, looked_at, outputs, same

NO_EVENT = "(no log yet)"
# What is written of a run begins after it.
DECIDED = "signals generated"
EARLY = 0.1


class Moment(NamedTuple):
    """When a run is killed: so long after an event in its log, "" for its start."""

    event: str
    seconds: float


class Trial(NamedTuple):
    """A run that was to be killed: whether it was, at which event of the log, what was wrong."""

    scene: str
    killed: bool
    event: str
    findings: list[str]


def command(folder: Path, config: Path, inputs: list[Path], flags: tuple[str, ...]) -> list[str]:
    """Write the command line of a run that leaves its outputs in a folder."""
    named = [flag.replace("FOLDER", str(folder)) for flag in flags]
    outputs = [f"--output={folder}/metrics.json", f"--summary={folder}/summary.csv"]
    log = [f"--log-file={folder}/run.log", "--log-format=json", "--verbose"]
    paths = [f"--config={config}", "--input", *map(str, inputs)]
    return [sys.executable, str(ROOT / "run.py"), *outputs, *log, *named, *paths]


def run(line: list[str], moment: Moment | None = None) -> int:
    """Run a command to its end, or kill it at a moment; return its exit code."""
    nowhere, pipe = subprocess.DEVNULL, subprocess.PIPE
    told = pipe if moment and moment.event else nowhere
    with subprocess.Popen(line, stdout=nowhere, stderr=told, text=True) as process:
        if moment and process.stderr:
            any(moment.event in line for line in process.stderr)
        try:
            return process.wait(moment and moment.seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            return process.wait()


class Range:
    """Where runs are killed: a config, and a folder for the copies."""

    def __init__(self, folder: Path, config: Path) -> None:
        self.folder = folder
        self.config = config

    def measured(self, scene: Scene) -> tuple[Scene, list[str]]:
        """Run a scene to its end; return how long it takes, and what is wrong then."""
        folder = self.copied(scene, "measured")
        started = time.monotonic()
        findings = self.ended(scene, folder)
        seconds = time.monotonic() - started
        return scene._replace(seconds=seconds, writing_s=_writing_s(folder / "run.log")), findings

    def tried(self, scene: Scene, moment: Moment, number: int) -> Trial:
        """Kill a run at a moment, look at what it left, and go on; keep the folder if wrong."""
        folder = self.copied(scene, str(number))
        line = command(folder, self.config, scene.inputs, scene.flags)
        killed = run(line, moment) == -signal.SIGKILL
        event = last_event(folder / "run.log")
        findings = [*looked_at(scene, folder), *self.ended(scene, folder)]
        where = f"{scene.name}, killed at {moment}, after {event!r}, see {folder}: "
        if not findings:
            shutil.rmtree(folder)
        return Trial(scene.name, killed, event, [where + finding for finding in findings])

    def copied(self, scene: Scene, name: str) -> Path:
        """Copy the folder that a scene starts from, without its log."""
        folder = self.folder / f"{scene.name} {name}"
        shutil.copytree(scene.base, folder)
        (folder / "run.log").unlink(missing_ok=True)
        return folder

    def ended(self, scene: Scene, folder: Path) -> list[str]:
        """Run to the end; tell what is not as a run over everything leaves it."""
        code = run(command(folder, self.config, scene.inputs, scene.flags))
        if code:
            return [f"the next run ended with {code}"]
        now = outputs(folder)
        wrong = [name for name in {**now, **scene.whole.outputs} if not same(name, now, scene)]
        litter = [path.name for path in folder.rglob(".*") if not is_of_a_process(path)]
        return [f"{name} is not that of a whole run" for name in wrong] + [
            f"{name} is left" for name in litter
        ]


def measured(place: Range, scenes: list[Scene]) -> list[tuple[Scene, list[str]]]:
    """Measure scenes as they are killed: as many at once."""
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return list(pool.map(place.measured, scenes))


def trials(place: Range, scenes: list[Scene], kills: int, random: Random) -> Iterator[Trial]:
    """Kill so many runs, as many at once as there are processors; yield also those that ended."""
    number, left = 0, kills
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        while left:
            drawn = [_drawn(scenes[(number + at) % len(scenes)], random) for at in range(left)]
            numbers = range(number, number + left)
            for trial in pool.map(place.tried, *zip(*drawn, strict=True), numbers):
                left -= trial.killed
                yield trial
            number += len(drawn)


def _drawn(scene: Scene, random: Random) -> tuple[Scene, Moment]:
    """Draw a moment: of the whole run, more often of its beginning, and of its writing."""
    whole, writing = ("", scene.seconds), (DECIDED, scene.writing_s)
    event, longest_s = random.choice([whole, whole, ("", EARLY * scene.seconds), writing, writing])
    return scene, Moment(event, random.uniform(0, longest_s))


def _writing_s(log: Path) -> float:
    """Tell how long a run took from the event on that all is decided."""
    lines = log.read_text().splitlines()
    events = {event["message"]: event["timestamp"] for event in map(json.loads, lines)}
    begun, ended = map(datetime.fromisoformat, (events[DECIDED], events["job ended"]))
    return (ended - begun).total_seconds()


def last_event(log: Path) -> str:
    """Tell the last event that a run logged."""
    lines = log.read_text().splitlines() if log.exists() else []
    return str(json.loads(lines[-1])["message"]).partition(":")[0] if lines else NO_EVENT
