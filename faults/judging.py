"""Judge what a disturbed run has left: its exit code, metrics and outputs, and the nights after."""

import shutil
from pathlib import Path
from typing import NamedTuple

from faults.remains import Outputs, litter, outputs, status, status_of, wrong_in_record
from faults.runs import Ended, run
from faults.scenes import NIGHTS, Scene

# What must never happen: the columns of the table.
COLUMNS = (
    *("a bug", "wrong code", "never ends", "false success", "not done", "no metrics"),
    *("half", "lost", "left over", *NIGHTS),
)
CODES = (0, 66, 71, 73, 74, 75)
# So a run says that its outputs are staged, and that the next one puts them in place.
_TO_BE_COMPLETED = "puts them in place"
BUG = 1
BAD_CONFIG = 78


class Finding(NamedTuple):
    """What is wrong: its column in the table, and what was seen."""

    column: str
    text: str


class Excuse(NamedTuple):
    """What a fault makes impossible: to remove a file, or to print.

    lasting: whether it lasts. Then whose lock a file is cannot be found out, so it may be left. And
    where the former metrics cannot be removed, for they may be something else, that must be told.
    """

    removing: bool = False
    printing: bool = False
    lasting: bool = False


def of_killed(scene: Scene, folder: Path) -> list[Finding]:
    """Judge the files that a killed run left."""
    now = outputs(folder)
    return [*_of_files(scene, now), *_of_success(scene, folder, now)]


def of_ended(scene: Scene, folder: Path, ended: Ended, excuse: Excuse) -> list[Finding]:
    """Judge a run that came to an end although calls failed."""
    if ended.code is None:
        return [Finding("never ends", ended.stderr[-200:])]
    now = outputs(folder)
    findings = [*_of_code(ended), *_of_files(scene, now)]
    if ended.code:
        findings += _of_failure(folder, ended, excuse)
    elif now != scene.whole:
        findings.append(Finding("not done", f"0, although {_differing(now, scene.whole)}"))
    said = status_of(ended.stdout)
    if said != ("error" if ended.code else "success") and not excuse.printing:
        findings.append(Finding("no metrics", f"{ended.code}, and stdout says {ended.stdout!r}"))
    if not (excuse.removing or _TO_BE_COMPLETED in ended.stderr):
        # What a pending run has left is there until one has completed it.
        former = litter(scene.base) if ended.code else []
        left = litter(folder, locks=not excuse.lasting)
        findings += [Finding("left over", name) for name in left if name not in former]
    return findings


def _of_code(ended: Ended) -> list[Finding]:
    if ended.code == BUG or ended.code is None or ended.code < 0:
        return [Finding("a bug", f"{ended.code}: {_last_line(ended.stderr)}")]
    is_of_the_config = "Config file cannot be" in ended.stderr
    if ended.code not in CODES and not (ended.code == BAD_CONFIG and is_of_the_config):
        return [Finding("wrong code", f"{ended.code}: {_last_line(ended.stderr)}")]
    return []


def _last_line(text: str) -> str:
    return (text.splitlines() or [""])[-1][:300]


def _of_failure(folder: Path, ended: Ended, excuse: Excuse) -> list[Finding]:
    said = status(folder)
    is_told = (excuse.removing or excuse.lasting) and "metrics.json" in ended.stderr
    if said in ("success", "damaged") and not is_told:
        return [Finding("false success", f"{ended.code}, and the metrics say {said}")]
    return []


def _of_files(scene: Scene, now: Outputs) -> list[Finding]:
    """Compare each output with that of the night before and that of an undisturbed night."""
    findings = []
    for name, content in now.items():
        if name.endswith(".bars"):
            continue  # only what the state knows of it counts, which the next night reads
        if name == "record.json" and _is_unfinished(content):
            continue
        if name == "metrics.json" and '"error"' in str(content):
            continue
        if content not in [each.get(name) for each in (scene.former, scene.between, scene.whole)]:
            findings.append(Finding("half", f"{name} is neither the former nor the new one"))
    kept = {name for name in scene.whole if name.startswith(("s.state", "signals"))}
    if scene.has_state:
        lost = (kept & set(scene.former)) - set(now)
        findings += [Finding("lost", f"{name} is gone") for name in sorted(lost)]
    return findings


def _is_unfinished(record: object) -> bool:
    return str(record).startswith(("{'status': 'running'", "{'status': 'error'"))


def _of_success(scene: Scene, folder: Path, now: Outputs) -> list[Finding]:
    """Judge metrics and a record of a success, beside which everything must be whole."""
    findings = [Finding("half", text) for text in wrong_in_record(folder)]
    # A record, which comes last, and bars that no state knows yet may be there or not.
    wholes = [_without_late_ones(each) for each in (scene.former, scene.whole)]
    if "metrics.json" in now and _without_late_ones(now) not in wholes:
        text = f"the metrics say success, and {_differing(now, scene.whole)}"
        findings.append(Finding("false success", text))
    return findings


def _without_late_ones(found: Outputs) -> Outputs:
    late = ("record.json", ".bars")
    return {name: content for name, content in found.items() if not name.endswith(late)}


def _differing(now: Outputs, expected: Outputs) -> str:
    names = {name for name in {**now, **expected} if now.get(name) != expected.get(name)}
    return f"{', '.join(sorted(names))} differ"


def of_nights(scene: Scene, folder: Path, kept: Path, names: list[str]) -> list[Finding]:
    """Judge the nights that may follow: each starts from the copy of what was left."""
    findings: list[Finding] = []
    # Where nothing was changed that the next night reads, it is the first undisturbed one.
    if _read_next(kept) == _read_next(scene.base):
        return findings
    for name in names:
        shutil.rmtree(folder)
        shutil.copytree(kept, folder, symlinks=True)
        findings += [Finding(name, text) for text in _of_night(scene, folder, name)]
    return findings


def _read_next(folder: Path) -> dict[str, bytes | None]:
    """Return what stands in a folder, without what every run writes anew."""
    anew = ("run.log", "metrics.json", "summary.csv", "record.json")
    paths = sorted(path for path in folder.rglob("*") if path.name not in anew)
    return {
        str(path.relative_to(folder)): path.read_bytes() if path.is_file() else None
        for path in paths
    }


def _of_night(scene: Scene, folder: Path, name: str) -> list[str]:
    night = scene.nights[name]
    ended = run(scene.line(folder, night.inputs), scene.env)
    if ended.code:
        return [f"the next night ended with {ended.code}: {_last_line(ended.stderr)}"]
    now = outputs(folder)
    wrong = [] if now in night.allowed else [_differing(now, night.allowed[0])]
    wrong += wrong_in_record(folder)
    return wrong + [f"{left} is left" for left in litter(folder)]
