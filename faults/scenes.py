"""The kinds of runs, the folder that each starts from, and what an undisturbed one leaves.

A scene begins with a night over two files of bars. The night that is disturbed reads a third file.
Three kinds of next night follow: over the same files, without the new file, and with one more. Each
must leave what it leaves after a night that was not disturbed, or after none.

Where a run is pending, the first night is over one file, and the second, over two, was killed when
it had saved the state and not yet put its signals in place. The disturbed night does that first.
"""

import os
import shutil
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from random import Random
from typing import NamedTuple

from faults.history import CONFIG, History, history
from faults.pending import kill_once_saved
from faults.remains import Outputs, outputs
from faults.runs import command, environment, run

NIGHTS = ("same", "without", "one more")
_FILES = {"same": 3, "without": 2, "one more": 4}
_STATE = "--state=FOLDER/s.state"
_RECORD = "--record=FOLDER/record.json"
_BY = "--signals=FOLDER/signals --partition-by="


class Size(NamedTuple):
    """How large a history is: its days, and the bars of a symbol in each."""

    days: int
    bars_a_day: int


SMALL = Size(days=4, bars_a_day=12)
# For kills at random times: a run takes its time.
LARGE = Size(days=10, bars_a_day=720)


def _single(suffix: str) -> str:
    return f"--signals=FOLDER/signals.{suffix}"


KINDS = {
    "metrics": "",
    "csv": _single("csv"),
    "parquet, record": f"{_single('parquet')} {_RECORD}",
    "arrow": _single("arrow"),
    "by symbol": f"{_BY}symbol",
    "by date, record": f"{_BY}date {_RECORD}",
    "workers": f"--workers=2 {_single('parquet')} {_RECORD}",
    "state": _STATE,
    "state, csv, record": f"{_STATE} {_single('csv')} {_RECORD}",
    "state, parquet": f"{_STATE} {_single('parquet')}",
    "state, arrow": f"{_STATE} {_single('arrow')}",
    "state, by symbol": f"{_STATE} {_BY}symbol",
    "state, by date, record": f"{_STATE} {_BY}date {_RECORD}",
    "recompute, csv": f"{_STATE} {_single('csv')}",
    "recompute, parquet": f"{_STATE} {_single('parquet')}",
    "recompute, by date": f"{_STATE} {_BY}date",
    "pending, csv": f"{_STATE} {_single('csv')}",
    "pending, by date, record": f"{_STATE} {_BY}date {_RECORD}",
    "pending, recompute, by date": f"{_STATE} {_BY}date",
}
# One of each way to put outputs in place.
SHORT = ("state, csv, record", "recompute, csv", "by date, record", "state, by date, record")
# One of each way to keep, to replace and to continue: for kills at random times, and cut power.
KILLED = (
    *("parquet, record", "by date, record", "state, csv, record", "state, by symbol"),
    *("state, by date, record", "recompute, parquet", "recompute, by date"),
    "pending, by date, record",
)


class Night(NamedTuple):
    """A run: the files that it reads, and what it may leave."""

    inputs: list[Path]
    allowed: list[Outputs]


class Scene(NamedTuple):
    """A kind of run: `base` is the folder that it starts from, `former` and `whole` what is there.

    In `flags`, FOLDER stands for the folder. between: what is there
    when a pending run is completed.
    """

    kind: str
    base: Path
    config: Path
    flags: tuple[str, ...]
    env: dict[str, str]
    former: Outputs
    between: Outputs
    whole: Outputs
    inputs: list[Path]
    nights: dict[str, Night]

    @property
    def has_state(self) -> bool:
        """Return whether the run continues a state."""
        return _STATE in self.flags

    def line(self, folder: Path, inputs: list[Path] | None = None) -> list[str]:
        """Return the command line in a folder: of the disturbed night, or over other files."""
        return command(folder, self.config, self.inputs if inputs is None else inputs, self.flags)


class Stage:
    """What scenes have in common: a history of bars, a config, and an environment."""

    def __init__(self, folder: Path, size: Size, random: Random) -> None:
        self.folder = folder
        self.bars: History = history(folder / "bars", *size, 4, random)
        # Beside the folder, so that no call for a module counts as one of the run.
        self.env = environment(folder.with_name(f"{folder.name}-modules"))
        self.config = folder / "config.yaml"
        self.config.write_text(CONFIG + "on_restatement: recompute\n")

    def scenes(self, kinds: Iterable[str]) -> list[Scene]:
        """Run the undisturbed nights of kinds of runs, one per processor at the same time."""
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            return list(pool.map(self.scene, kinds))

    def scene(self, kind: str) -> Scene:
        """Run the undisturbed nights of a kind of run."""
        flags = tuple(KINDS[kind].split())
        base = self.folder / kind / "base"
        base.mkdir(parents=True)
        files = self._bars_of(kind)
        scene = Scene(kind, base, self.config, flags, self.env, {}, {}, {}, files[:3], {})
        is_pending = kind.startswith("pending")
        former = self._first(scene, files[: 1 if is_pending else 2])
        undisturbed, between = base, Outputs()
        if is_pending:
            undisturbed = self._after(base, "undisturbed")
            between = self._left(scene, undisturbed, files[:2])
            kill_once_saved(scene.line(base, files[:2]), base, self.env)
            former = outputs(base)
            kept = {name for name in between if between[name] == former.get(name)}
            assert "s.state" in kept, "the state is saved"
            assert any(name.startswith("signals") for name in between.keys() - kept), "not in place"
        (base / "run.log").unlink()
        once = self._after(undisturbed, "once")
        whole = self._left(scene, once, scene.inputs)
        befores = [undisturbed, once] if scene.has_state else [base]
        nights = {name: self._night(scene, befores, name, files) for name in NIGHTS}
        return scene._replace(former=former, whole=whole, nights=nights, between=between)

    def _first(self, scene: Scene, files: list[Path]) -> Outputs:
        """Run the night before, whose bars are later restated where they are decided again."""
        if "recompute" not in scene.kind:
            return self._left(scene, scene.base, files)
        right = files[0].read_text()
        files[0].write_text(_with_flat_closes(right))
        former = self._left(scene, scene.base, files)
        files[0].write_text(right)
        return former

    def _night(self, scene: Scene, befores: list[Path], name: str, files: list[Path]) -> Night:
        """Run a night after each of the folders from which it may start."""
        read = files[: _FILES[name]]
        return Night(read, [self._left(scene, self._after(each, name), read) for each in befores])

    def _bars_of(self, kind: str) -> list[Path]:
        """Return the files of bars, which a kind of run that restates them has for itself."""
        files = self.bars.files
        if "recompute" not in kind:
            return files
        own = shutil.copytree(files[0].parent, self.folder / kind / "bars")
        return [own / path.name for path in files]

    def _after(self, before: Path, name: str) -> Path:
        return Path(shutil.copytree(before, before.with_name(f"{before.name}, {name}")))

    def _left(self, scene: Scene, folder: Path, inputs: list[Path]) -> Outputs:
        """Run to the end; return what is left."""
        ended = run(scene.line(folder, inputs), self.env)
        if ended.code:
            raise RuntimeError(f"{scene.kind} ended with {ended.code}: {ended.stderr}")
        return outputs(folder)


def _with_flat_closes(text: str) -> str:
    """Return bars in which all closes are the same, so that every signal is a 0."""
    header, *rows = text.splitlines(keepends=True)
    return header + "".join(f"{row.rpartition(',')[0]},1.5\n" for row in rows)
