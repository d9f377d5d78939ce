"""A run that ends at any moment leaves what the next one needs to end in the same bits.

A run is copied before each call that changes files, as if it were killed there. Each copy is
continued in three ways, and is then as a folder in which no run was ever killed.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from rollsignal.commands import run as job
from rollsignal.config.request import Request
from rollsignal.errors import JobError
from rollsignal.outputs.state.document import load_state

CONFIG = 'seed: 1\nwindow: 3\nversion: "v"\ncolumns: {symbol: symbol}\non_restatement: recompute\n'
CHANGES = ("replace", "unlink", "rmdir", "mkdir")


def rows(first: int, last: int, symbols: str) -> str:
    return "timestamp,symbol,close\n" + "".join(
        f"2024-01-{1 + number // 24:02d} {number % 24:02d}:00:00,{symbol},{100 + number * 7 % 11}\n"
        for number in range(first, last)
        for symbol in symbols
    )


class Nights:
    """Three files of bars, and folders in which runs read some of them."""

    def __init__(self, path: Path, signals: str, key: str | None = None) -> None:
        self.path = path
        self.signals, self.key = signals, key
        (path / "c.yaml").write_text(CONFIG)
        for number, bars in enumerate([(0, 30, "AB"), (30, 60, "AC"), (60, 70, "AD")]):
            self.write(number, rows(*bars))

    def write(self, number: int, text: str) -> None:
        (self.path / f"{number}.csv").write_text(text)

    def run(self, folder: Path, numbers: Sequence[int]) -> JobError | None:
        request = Request(
            tuple(f"{self.path}/{number}.csv" for number in numbers),
            f"{self.path}/c.yaml",
            f"{folder}/m.json",
            None,
            summary=f"{folder}/s.csv",
            signals=f"{folder}/{self.signals}",
            partition_by=self.key,
            state=f"{folder}/s.state",
            record=f"{folder}/r.json",
        )
        return job.run(request, 0, lambda *_: None).error

    def copied(self, folder: Path, name: str, *nights: Sequence[int]) -> Path:
        """Copy a folder, and run some nights in the copy."""
        copy = self.path / name
        shutil.copytree(folder, copy, symlinks=True)
        for numbers in nights:
            assert self.run(copy, numbers) is None
        return copy

    @contextmanager
    def copies(self, folder: Path, patch: pytest.MonkeyPatch) -> Iterator[list[Path]]:
        """Copy a folder before every call that changes it."""
        copies: list[Path] = []

        def before(call: Callable[..., Any]) -> Callable[..., Any]:
            def called(*arguments: Any, **more: Any) -> Any:
                patched.undo()
                copies.append(self.copied(folder, f"{folder.name}-{len(copies)}"))
                watch()
                return call(*arguments, **more)

            return called

        def watch() -> None:
            for name, call in calls.items():
                patched.setattr(os, name, call)

        # Each is one function all along: a library may compare them.
        calls = {name: before(getattr(os, name)) for name in CHANGES}
        with patch.context() as patched:
            watch()
            yield copies


def left(folder: Path) -> dict[str, object]:
    """Read all that stands in a folder, hidden or not, but what no two runs have alike."""
    contents: dict[str, object] = {
        str(path.relative_to(folder)): path.is_file() and path.read_bytes()
        for path in folder.rglob("*")
    }
    contents["m.json"] = {**json.loads((folder / "m.json").read_text()), "latency_ms": 0}
    record = json.loads((folder / "r.json").read_text())
    contents["r.json"] = [
        (str(Path(file["path"]).relative_to(folder)), file["sha256"])
        for file in record["outputs"]
        if not file["path"].endswith(("m.json", "s.state"))
    ]
    state = load_state(f"{folder}/s.state")
    assert state is not None
    inputs = tuple(file._replace(stamp=()) for file in state.inputs)
    contents["s.state"] = state._replace(inputs=inputs)
    return contents


KINDS = {
    "a table that grows": (False, "all.parquet", None),
    "text that is decided again": (True, "all.csv", None),
    "days that grow": (False, "days", "date"),
    "symbols that are decided again": (True, "symbols.csv", "symbol"),
}


@pytest.mark.parametrize("kind", KINDS)
def test_wherever_a_run_ends_the_next_one_leaves_what_undisturbed_runs_leave(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    is_restated, signals, key = KINDS[kind]
    nights = Nights(tmp_path, signals, key)
    (tmp_path / "empty").mkdir()
    before = nights.copied(tmp_path / "empty", "before", [0])
    if is_restated:
        nights.write(0, rows(0, 30, "AB").replace(",A,103\n", ",A,93\n"))
    killed = nights.copied(before, "killed")
    with nights.copies(killed, monkeypatch) as copies:
        assert nights.run(killed, [0, 1]) is None
    former = (before / "s.state").read_bytes()
    # One way to go on for each copy in turn, so that the test is quick.
    ways = {"same": [0, 1], "without": [0], "more": [0, 1, 2]}
    expected = {
        (name, happened): left(
            nights.copied(before, f"{name}-{happened}", *[[0, 1]][: int(happened)], way)
        )
        for name, way in ways.items()
        for happened in (False, True)
    }
    seen = set()
    for number, copy in enumerate(copies):
        happened = (copy / "s.state").read_bytes() != former
        name = list(ways)[number % 3]
        seen.add((name, happened))
        assert nights.run(copy, ways[name]) is None, copy
        assert left(copy) == expected[name, happened], (copy, name, happened)
    assert seen == set(expected)
