"""Try disturbances: each in a copy of the folder of its scene, and with the nights after it."""

import os
import shutil
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path
from typing import NamedTuple, Protocol

from faults.judging import Finding, of_nights
from faults.scenes import NIGHTS, Scene


class Disturbance(Protocol):
    """What happens to a run of a scene; `group` is the row of the table that counts it."""

    @property
    def scene(self) -> Scene:
        """Return the kind of run."""

    @property
    def group(self) -> str:
        """Return the name of its row."""

    @property
    def nights(self) -> int:
        """Return how many kinds of next night are tried."""

    def disturbed(self, folder: Path) -> tuple[bool, list[Finding]]:
        """Run in a folder; return whether the run was struck, and what is wrong."""


class Trial(NamedTuple):
    """A disturbed run: where it belongs, whether it was struck, and what was wrong."""

    group: str
    is_struck: bool
    findings: list[Finding]
    text: str


def trials(disturbances: Iterable[Disturbance], *, most_nights: int = 3) -> Iterator[Trial]:
    """Try disturbances, one per processor at the same time."""

    def each(disturbance: Disturbance, number: int) -> Trial:
        most = min(most_nights, disturbance.nights)
        return tried(disturbance, number, [NIGHTS[(number + at) % 3] for at in range(most)])

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        yield from pool.map(each, disturbances, count())


def tried(disturbance: Disturbance, number: int, nights: list[str]) -> Trial:
    """Disturb a run and judge what it left; keep that if anything is wrong."""
    scene = disturbance.scene
    name = f"{disturbance.group} {number}"
    folder = Path(shutil.copytree(scene.base, scene.base.with_name(f"run, {name}")))
    kept = folder.with_name(f"left, {name}")
    is_struck, findings = disturbance.disturbed(folder)
    shutil.copytree(folder, kept, symlinks=True)
    if is_struck:
        findings += of_nights(scene, folder, kept, nights)
    shutil.rmtree(folder)
    if findings:
        return Trial(disturbance.group, is_struck, findings, f"{disturbance}; see {kept}")
    shutil.rmtree(kept)
    return Trial(disturbance.group, is_struck, [], str(disturbance))
