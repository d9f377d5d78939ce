"""Cut the power of a run: its folder is a file system in an image, which is copied at that moment.

What the run has not brought to the disk is lost, in the way of that file system: the image holds
what was written to the device, and is mounted again, which replays its journal. This needs root,
loop devices, and `mkfs` of the file system.
"""

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import NamedTuple

from faults import traces
from faults.judging import Finding, of_killed
from faults.runs import run
from faults.scenes import NIGHTS, Scene
from faults.traces import Call

# How each is made, and mounted: ext4 without what hides a missing fsync.
SYSTEMS = {
    "ext4": (["mkfs.ext4", "-q"], 32, "loop,noauto_da_alloc"),
    "xfs": (["mkfs.xfs", "-q"], 300, "loop,nouuid"),
    "btrfs": (["mkfs.btrfs", "-q"], 128, "loop"),
}


class Cut(NamedTuple):
    """A cut of the power right before a call; `system` is the file system.

    image: the file system with the folder that the scene starts from. synced: which of the files
    that are there at that moment the system has written to the disk by itself, as a share of all;
    None for none.
    """

    scene: Scene
    system: str
    image: Path
    call: Call
    synced: float | None
    nights: int = len(NIGHTS)

    @property
    def group(self) -> str:
        """Return the row of the table that counts it."""
        return f"{self.system}: {self.scene.kind}"

    def disturbed(self, folder: Path) -> tuple[bool, list[Finding]]:
        """Run and cut the power; the folder then holds what the disk did."""
        image, disk = folder.with_name(f"{folder.name}.img"), folder.with_name(f"{folder.name}.cut")
        shutil.rmtree(folder)
        folder.mkdir()
        _copied(self.image, image)
        with _mounted(self.system, image, folder):
            ended = run(traces.killed(self.scene.line(folder), self.call), self.scene.env)
            self._sync(folder)
            _copied(image, disk)
        with _mounted(self.system, disk, folder):
            saved = shutil.copytree(folder, folder.with_name(f"{folder.name}.left"), symlinks=True)
        os.rmdir(folder)
        os.rename(saved, folder)
        if (folder / "lost+found").exists():
            os.rmdir(folder / "lost+found")
        image.unlink()
        disk.unlink()
        return ended.code != 0, of_killed(self.scene, folder)

    def _sync(self, folder: Path) -> None:
        files = sorted(path for path in folder.rglob("*") if path.is_file())
        if self.synced is None or not files:
            return
        descriptor = os.open(files[int(self.synced * len(files))], os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def __str__(self) -> str:
        call = f"{self.call.name} #{self.call.number} ({self.call.arguments[:140]})"
        return f"{self.group}: power cut before {call}, synced {self.synced}"


class _mounted:  # noqa: N801  # it is used like a function
    """Mount an image while something is done."""

    def __init__(self, system: str, image: Path, folder: Path) -> None:
        self.command = ["mount", "-o", SYSTEMS[system][2], str(image), str(folder)]
        self.folder = folder

    def __enter__(self) -> None:
        subprocess.run(self.command, check=True)

    def __exit__(self, *_: object) -> None:
        subprocess.run(["umount", str(self.folder)], check=True)


def _copied(image: Path, copy: Path) -> None:
    subprocess.run(["cp", "--sparse=always", str(image), str(copy)], check=True)


def missing(system: str) -> str:
    """Return why there can be no such file system here, "" if there can."""
    program = SYSTEMS[system][0][0]
    if os.geteuid() or not Path("/dev/loop-control").exists():
        return "images are mounted by root, where there are loop devices"
    return "" if shutil.which(program) else f"there is no {program} here"


def cuts(
    points: list[tuple[Scene, list[Call]]], systems: list[str], count: int, random: Random
) -> Iterator[Cut]:
    """Yield cuts before calls that change files, for each scene and file system in turn."""
    images = {(scene.kind, each): _image(scene, each) for scene, _ in points for each in systems}
    for number in range(count if systems else 0):
        scene, calls = points[number % len(points)]
        system = systems[number // len(points) % len(systems)]
        call = random.choice([call for call in calls if call.changes_files])
        synced = random.choice([None, random.random()])
        yield Cut(scene, system, images[scene.kind, system], call, synced)


def _image(scene: Scene, system: str) -> Path:
    """Make an image of a file system with the folder that a scene starts from."""
    image, folder = scene.base.with_name(f"{system}.img"), scene.base.with_name(system)
    make, megabytes, _ = SYSTEMS[system]
    with image.open("wb") as file:
        file.truncate(megabytes << 20)
    subprocess.run([*make, str(image)], check=True, stdout=subprocess.DEVNULL)
    folder.mkdir()
    with _mounted(system, image, folder):
        shutil.copytree(scene.base, folder, dirs_exist_ok=True)
    return image
