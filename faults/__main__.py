"""`python -m faults` disturbs runs of every kind, and judges what they leave and the nights after.

crash: killed right before each call that changes files. calls: each call fails, once or from then
on. kills: killed at random times. power: the power is cut, and the disk is as it is then. It prints
what was found, and a table for each; if anything was found, it ends with exit code 1.
"""

import argparse
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from functools import cache
from itertools import islice
from pathlib import Path
from random import Random

from faults import kills, points, power, traces
from faults.scenes import KILLED, KINDS, LARGE, SHORT, SMALL, Scene, Stage
from faults.table import listed, table
from faults.traces import Call
from faults.trials import Disturbance, Trial, trials

PARTS = {
    "crash": "killed before each change of files",
    "calls": "class of the call that fails",
    "kills": "killed at random",
    "power": "power cut on",
}


def main() -> int:
    """Disturb runs, and print what was found."""
    options = _options()
    if problem := traces.missing():
        print(f"nothing was tried: {problem}", file=sys.stderr)
        return int("CI" in os.environ)
    started = time.monotonic()
    folder = Path(tempfile.mkdtemp(prefix="rollsignal-faults-"))
    seen = {part: list(_tried(part, folder, options)) for part in options.parts}
    every = [trial for tried in seen.values() for trial in tried]
    wrong = sum(bool(trial.findings) for trial in every)
    print(*(table(PARTS[part], seen[part]) for part in seen), sep="\n\n")
    minutes = (time.monotonic() - started) / 60
    print(f"\n{wrong} of {len(every)} trials found something; {minutes:.1f} minutes")
    if not wrong:
        shutil.rmtree(folder)
    return int(bool(wrong))


def _tried(part: str, folder: Path, options: argparse.Namespace) -> Iterator[Trial]:
    """Try the disturbances of a part; print what is wrong as soon as it is found."""
    for trial in trials(_chosen(part, folder, options), most_nights=1 if options.short else 3):
        for text in listed([trial]):
            print(text, end="\n\n", flush=True)
        yield trial


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m faults", description=__doc__)
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=list(PARTS))
    parser.add_argument("--kinds", nargs="+", choices=KINDS, metavar="KIND")
    parser.add_argument("--every", type=int, default=1, help="try every Nth point")
    parser.add_argument("--each", action="store_true", help="try each error of each call")
    parser.add_argument("--short", action="store_true", help="four kinds, and one night after each")
    parser.add_argument("--count", type=int, default=200, help="kills, and cuts of the power")
    parser.add_argument("--seed", type=int, default=42)
    return parser.parse_args()


def _chosen(part: str, folder: Path, options: argparse.Namespace) -> Iterable[Disturbance]:
    """Yield the disturbances of a part."""
    random = Random(options.seed)
    usual = SHORT if options.short else KILLED if part in ("kills", "power") else tuple(KINDS)
    kinds = tuple(options.kinds or usual)
    if part == "kills":
        stage = Stage(folder / part, LARGE, random)
        return kills.kills(stage.scenes(kinds), options.count, random)
    traced = _traced(folder / f"{len(kinds)} kinds", kinds, options.seed)
    if part == "power":
        return power.cuts(traced, _systems(), options.count, random)
    return islice(_each_point(part, traced, options), 0, None, options.every)


@cache
def _traced(folder: Path, kinds: tuple[str, ...], seed: int) -> list[tuple[Scene, list[Call]]]:
    """Make scenes, which several parts share, and list the calls of their runs."""
    scenes = Stage(folder, SMALL, Random(seed)).scenes(kinds)
    return [(scene, points.traced(scene)) for scene in scenes]


def _each_point(
    part: str, traced: list[tuple[Scene, list[Call]]], options: argparse.Namespace
) -> Iterable[points.Point]:
    for scene, calls in traced:
        if part == "crash":
            yield from points.crash_points(scene, calls)
        else:
            yield from points.failures(scene, calls, each=options.each)


def _systems() -> list[str]:
    """Return the file systems that there can be here, and tell why not the others."""
    reasons = {system: power.missing(system) for system in power.SYSTEMS}
    for system, reason in reasons.items():
        if reason:
            print(f"no power was cut on {system}: {reason}", file=sys.stderr)
    return [system for system, reason in reasons.items() if not reason]


if __name__ == "__main__":
    sys.exit(main())
