"""Check what a killed run leaves: each output is whole, or that of the run before."""

import json
import re
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

from rollsignal.core.digest import hex_text
from rollsignal.errors import JobError
from rollsignal.outputs.record.document import load_record
from rollsignal.outputs.state.document import load_state

OTHERS = ("s.state", "record.json", "run.log")
_BEGUN = re.compile(r"\.(\d+)\.[0-9a-f]{16}\.tmp")

Outputs = dict[str, object]


class Whole(NamedTuple):
    """The result of a run over everything: its outputs by name, and the digest of its signals."""

    outputs: Outputs
    digest: str


class Scene(NamedTuple):
    """A kind of run: `base` is the folder that it starts from.

    In `flags`, FOLDER stands for the folder. The run takes `seconds`, `writing_s` of them after all
    is decided.
    """

    name: str
    base: Path
    inputs: list[Path]
    flags: tuple[str, ...]
    whole: Whole
    seconds: float = 0
    writing_s: float = 0


def same(name: str, now: Outputs, scene: Scene) -> bool:
    """Return whether an output is that of a run over everything."""
    return now.get(name) == scene.whole.outputs.get(name)


def outputs(folder: Path) -> Outputs:
    """Read the outputs that must be equal; the metrics without their latency."""
    contents: Outputs = {}
    for path in sorted(folder.rglob("[!.]*")):
        name = str(path.relative_to(folder))
        hidden = any(part.startswith(".") for part in Path(name).parts)
        if path.is_file() and not (hidden or name.startswith(OTHERS)):
            contents[name] = _metrics(path) if name == "metrics.json" else path.read_bytes()
    return contents


def _metrics(path: Path) -> object:
    """Read metrics; text that is not strict JSON is returned, and is never equal to metrics."""
    text = path.read_text()
    try:
        metrics: dict[str, Any] = json.loads(text, parse_constant=_refuse)
    except ValueError:
        return text
    return {**metrics, "latency_ms": 0}


def _refuse(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def looked_at(scene: Scene, folder: Path) -> list[str]:
    """List what is wrong with the outputs that a killed run left."""
    former, now = outputs(scene.base), outputs(folder)
    findings = [
        f"{name} is not that of the run before, nor that of a whole run"
        for name, content in now.items()
        if content != former.get(name) and not same(name, now, scene)
    ]
    if _has_ended(scene, folder) and now != scene.whole.outputs:
        findings.append("the metrics say success before all outputs are written")
    for name, problem in (("s.state", _state_problem), ("record.json", _record_problem)):
        path = folder / name
        if path.exists():
            try:
                findings += problem(path, scene)
            except JobError as error:
                findings.append(f"{name}: {error}")
    return findings


def _has_ended(scene: Scene, folder: Path) -> bool:
    """Return whether there are metrics that are not those of the run before."""
    path, former = folder / "metrics.json", scene.base / "metrics.json"
    return path.exists() and not (former.exists() and path.read_bytes() == former.read_bytes())


def _state_problem(path: Path, scene: Scene) -> list[str]:
    state, former = load_state(str(path)), load_state(str(scene.base / path.name))
    digests = [former and hex_text(former.digest), scene.whole.digest]
    return (
        [] if state and hex_text(state.digest) in digests else ["the state is not that of any run"]
    )


def _record_problem(path: Path, scene: Scene) -> list[str]:
    former = scene.base / path.name
    if former.exists() and path.read_bytes() == former.read_bytes():
        return []
    record = load_record(str(path))
    if record.status == "running":
        return []
    if record.status == "error" or record.digest != scene.whole.digest:
        return [f"the record says {record.status}, with the digest {record.digest}"]
    return [
        f"{file.path} is not what the record says"
        for file in record.outputs
        if sha256(Path(file.path).read_bytes()).hexdigest() != file.sha256
    ]


def is_of_a_process(path: Path) -> bool:
    """Return whether a process has the number in a file's name: the file may belong to it."""
    begun = _BEGUN.search(path.name)
    return begun is not None and Path(f"/proc/{begun[1]}").exists()
