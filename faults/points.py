"""Disturb a run at each of its calls: kill it right before, or have the call fail."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple
from zlib import crc32

from faults import traces
from faults.judging import Excuse, Finding, of_ended, of_killed
from faults.runs import run
from faults.scenes import NIGHTS, Scene
from faults.traces import Call

_ALWAYS = ("EIO", "ESTALE")
ERRORS = {
    "open": (*_ALWAYS, "EACCES", "EMFILE", "EROFS", "ENOSPC", "EINTR"),
    "create": (*_ALWAYS, "EACCES", "EMFILE", "EROFS", "ENOSPC", "EINTR"),
    "read": (*_ALWAYS, "EINTR"),
    "write": (*_ALWAYS, "ENOSPC", "EINTR"),
    "close": (*_ALWAYS, "ENOSPC", "EINTR"),
    "stat": (*_ALWAYS, "EACCES"),
    "access": (*_ALWAYS, "EACCES", "EROFS"),
    "flock": (*_ALWAYS, "EINTR"),
    "fsync": (*_ALWAYS, "ENOSPC", "EINTR"),
    "mmap": ("ENOMEM", "EACCES", "EIO"),
}
_OF_CHANGES = (*_ALWAYS, "EACCES", "EROFS", "ENOSPC")
REMOVING = ("unlink", "rmdir")
# Where these fail from then on, no folder can be removed, since nobody can look into it.
LOOKING = ("open", "create", "close", "stat", "opendir", "access")
# Python itself calls again for ever, but for a lock it does not wait so.
_NEVER_FOR_EVER = "EINTR"


class Point(NamedTuple):
    """A disturbance of a scene: a kill before a call, or with an `error` its failure."""

    scene: Scene
    call: Call
    error: str = ""
    for_ever: bool = False

    @property
    def group(self) -> str:
        """Return the row of the table that counts it."""
        return self.call.kind if self.error else self.scene.kind

    @property
    def nights(self) -> int:
        """Return how many kinds of next night are tried: all after a kill."""
        return 1 if self.error else len(NIGHTS)

    def disturbed(self, folder: Path) -> tuple[bool, list[Finding]]:
        """Run, and judge what is left; a failed call may be one that the run can do without."""
        scene, call, line = self.scene, self.call, self.scene.line(folder)
        if not self.error:
            ended = run(traces.killed(line, call), scene.env)
            return ended.code != 0, of_killed(scene, folder)
        log = folder.with_name(f"{folder.name}.trace")
        line = traces.failing(line, call, self.error, for_ever=self.for_ever, log=log)
        excuse = Excuse(
            removing=call.kind in REMOVING or (self.for_ever and call.kind in LOOKING),
            printing=call.kind == "write" and self.for_ever,
            lasting=self.for_ever,
        )
        ended = run(line, scene.env)
        struck = traces.struck(log)
        log.unlink()
        if not traces.is_of_files(struck):
            return False, []
        return bool(struck), of_ended(scene, folder, ended, excuse)

    def __str__(self) -> str:
        call = f"{self.call.name} #{self.call.number} ({self.call.arguments[:140]})"
        often = "from then on" if self.for_ever else "once"
        what = f"{self.error} {often} at" if self.error else "killed before"
        return f"{self.scene.kind}: {what} {call}"


def crash_points(scene: Scene, calls: list[Call]) -> Iterator[Point]:
    """Yield a kill before each call that changes files."""
    yield from (Point(scene, call) for call in calls if call.changes_files)


def failures(scene: Scene, calls: list[Call], *, each: bool = False) -> Iterator[Point]:
    """Yield failures of each call: one error, once or from then on, drawn by a hash; or each."""
    for call in calls:
        errors = ERRORS.get(call.kind, _OF_CHANGES)
        choices = [
            (error, for_ever)
            for for_ever in (False, True)
            for error in errors
            if not for_ever or _may_last(call, error)
        ]
        drawn = crc32(f"{scene.kind} {call.name} {call.number}".encode()) % len(choices)
        for choice in choices if each else [choices[drawn]]:
            if call.is_alone:
                yield Point(scene, call, *choice)


def _may_last(call: Call, error: str) -> bool:
    return call.may_last and (error != _NEVER_FOR_EVER or call.kind == "flock")


def traced(scene: Scene) -> list[Call]:
    """List the calls of an undisturbed run."""
    folder = Path(shutil.copytree(scene.base, scene.base.with_name("traced")))
    log = folder.with_name("trace")
    ended = run(traces.traced(scene.line(folder), log), scene.env)
    if ended.code:
        raise RuntimeError(f"{scene.kind} under strace ended with {ended.code}: {ended.stderr}")
    return [
        call._replace(arguments=call.arguments.replace(str(folder), "FOLDER"))
        for call in traces.calls(log, scene.base.parent.parent)
    ]
