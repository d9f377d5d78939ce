"""Kill runs at random times: in the whole run, only in its beginning, or only while it writes."""

import json
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from random import Random
from typing import NamedTuple

from faults.judging import Finding, of_killed
from faults.runs import run
from faults.scenes import NIGHTS, Scene

# After this event a run begins to write its outputs.
DECIDED = "signals generated"
EARLY = 0.1


class Kill(NamedTuple):
    """A kill `seconds` after an event in the log of a run, "" for its start."""

    scene: Scene
    event: str
    seconds: float
    nights: int = len(NIGHTS)

    @property
    def group(self) -> str:
        """Return the row of the table that counts it."""
        return self.scene.kind

    def disturbed(self, folder: Path) -> tuple[bool, list[Finding]]:
        """Run and kill; return whether the run was killed before its end, and what is wrong."""
        is_killed = _killed(self.scene.line(folder), self.scene.env, self)
        return is_killed, of_killed(self.scene, folder)

    def __str__(self) -> str:
        return f"{self.scene.kind}: killed {self.seconds:.4f} s after {self.event or 'the start'}"


def _killed(line: list[str], env: dict[str, str], at: Kill) -> bool:
    nowhere, pipe = subprocess.DEVNULL, subprocess.PIPE
    log = pipe if at.event else nowhere
    with subprocess.Popen(line, stdout=nowhere, stderr=log, text=True, env=env) as process:
        if process.stderr:
            any(at.event in line for line in process.stderr)
        try:
            return process.wait(at.seconds) == -signal.SIGKILL
        except subprocess.TimeoutExpired:
            process.kill()
            return process.wait() == -signal.SIGKILL


def kills(scenes: list[Scene], count: int, random: Random) -> Iterator[Kill]:
    """Yield kills at random times, in each scene in turn."""
    durations = [_durations(scene) for scene in scenes]
    for number in range(count):
        at = number % len(scenes)
        whole_s, writing_s = durations[at]
        whole, writing = ("", whole_s), (DECIDED, writing_s)
        event, longest_s = random.choice([whole, whole, ("", EARLY * whole_s), writing, writing])
        yield Kill(scenes[at], event, random.uniform(0, longest_s))


def _durations(scene: Scene) -> tuple[float, float]:
    """Return how long a run takes, and how long after all is decided."""
    folder = Path(shutil.copytree(scene.base, scene.base.with_name("measured")))
    started = time.monotonic()
    run(scene.line(folder), scene.env)
    seconds = time.monotonic() - started
    events = map(json.loads, (folder / "run.log").read_text().splitlines())
    times = {event["message"]: datetime.fromisoformat(event["timestamp"]) for event in events}
    return seconds, (times["job ended"] - times[DECIDED]).total_seconds()
