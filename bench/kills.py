"""Kill runs at random times: what they leave is whole, and the next run gets the same bits.

A scene is a kind of run with the folder that it starts from. For every kill the folder is copied,
a run is started in the copy and killed by SIGKILL, its files are checked, and the same run is done
again to its end.
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
# After this event a run begins to write its outputs.
DECIDED = "signals generated"
EARLY = 0.1


class KillTime(NamedTuple):
    """When a run is killed: `seconds` after an event in its log, "" for its start."""

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


def run(line: list[str], at: KillTime | None = None) -> int:
    """Run a command to its end, or kill it at a time; return its exit code."""
    nowhere, pipe = subprocess.DEVNULL, subprocess.PIPE
    log = pipe if at and at.event else nowhere
    with subprocess.Popen(line, stdout=nowhere, stderr=log, text=True) as process:
        if at and process.stderr:
            any(at.event in line for line in process.stderr)
        try:
            return process.wait(at and at.seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            return process.wait()


class Killer:
    """Kill runs with a config, each in a copy of a folder that is made in `folder`."""

    def __init__(self, folder: Path, config: Path) -> None:
        self.folder = folder
        self.config = config

    def measured(self, scene: Scene) -> tuple[Scene, list[str]]:
        """Run a scene to its end; return it with its duration, and what is wrong."""
        folder = self.copied(scene, "measured")
        started = time.monotonic()
        findings = self.ended(scene, folder)
        seconds = time.monotonic() - started
        return scene._replace(seconds=seconds, writing_s=_writing_s(folder / "run.log")), findings

    def tried(self, scene: Scene, at: KillTime, number: int) -> Trial:
        """Kill a run, check what it left, and run again; keep the folder if anything is wrong."""
        folder = self.copied(scene, str(number))
        line = command(folder, self.config, scene.inputs, scene.flags)
        killed = run(line, at) == -signal.SIGKILL
        event = last_event(folder / "run.log")
        findings = [*looked_at(scene, folder), *self.ended(scene, folder)]
        where = f"{scene.name}, killed at {at}, after {event!r}, see {folder}: "
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
        """Run to the end; list the outputs that are not those of a run over everything."""
        code = run(command(folder, self.config, scene.inputs, scene.flags))
        if code:
            return [f"the next run ended with {code}"]
        now = outputs(folder)
        wrong = [name for name in {**now, **scene.whole.outputs} if not same(name, now, scene)]
        litter = [path.name for path in folder.rglob(".*") if not is_of_a_process(path)]
        return [f"{name} is not that of a whole run" for name in wrong] + [
            f"{name} is left" for name in litter
        ]


def measured(killer: Killer, scenes: list[Scene]) -> list[tuple[Scene, list[str]]]:
    """Measure scenes as they are killed: one run per processor at the same time."""
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return list(pool.map(killer.measured, scenes))


def trials(killer: Killer, scenes: list[Scene], kills: int, random: Random) -> Iterator[Trial]:
    """Try runs until `kills` are killed, one per processor; yield also those that ended first."""
    number, left = 0, kills
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        while left:
            drawn = [_drawn(scenes[(number + at) % len(scenes)], random) for at in range(left)]
            numbers = range(number, number + left)
            for trial in pool.map(killer.tried, *zip(*drawn, strict=True), numbers):
                left -= trial.killed
                yield trial
            number += len(drawn)


def _drawn(scene: Scene, random: Random) -> tuple[Scene, KillTime]:
    """Draw a time: in the whole run, only in its beginning, or only while it writes."""
    whole, writing = ("", scene.seconds), (DECIDED, scene.writing_s)
    event, longest_s = random.choice([whole, whole, ("", EARLY * scene.seconds), writing, writing])
    return scene, KillTime(event, random.uniform(0, longest_s))


def _writing_s(log: Path) -> float:
    """Return how long a run took after all was decided."""
    lines = log.read_text().splitlines()
    events = {event["message"]: event["timestamp"] for event in map(json.loads, lines)}
    begun, ended = map(datetime.fromisoformat, (events[DECIDED], events["job ended"]))
    return (ended - begun).total_seconds()


def last_event(log: Path) -> str:
    """Return the last event that a run logged."""
    lines = log.read_text().splitlines() if log.exists() else []
    return str(json.loads(lines[-1])["message"]).partition(":")[0] if lines else NO_EVENT
