"""Any changed byte of what a run takes over is a refusal that names the file.

`ROLLSIGNAL_CASES=500` before the command of the tests changes as many bytes of each.
"""

from __future__ import annotations

import os
from pathlib import Path
from random import Random

import pytest

from rollsignal.commands import run as job
from rollsignal.commands.verify import verify
from rollsignal.config.request import Request
from rollsignal.errors import DataError, JobError

CASES = int(os.environ.get("ROLLSIGNAL_CASES", "4"))
CONFIG = 'seed: 1\nwindow: 3\nversion: "v"\ncolumns: {symbol: symbol}\non_restatement: recompute\n'


class Nights:
    """Two nights, of which the first has run."""

    def __init__(self, path: Path, signals: str, key: str | None) -> None:
        self.path, self.signals, self.key = path, signals, key
        (path / "c.yaml").write_text(CONFIG)
        for number in (0, 1):
            self.write(number, [])
        assert self.night(0) is None

    def write(self, number: int, more: list[str]) -> None:
        closes = [f"{100 + minute * 7 % 11}.{number}" for minute in range(10)]
        rows = [
            f"2024-01-{1 + number:02d} 00:{minute:02d}:00,{symbol},{close}\n"
            for minute, close in enumerate(closes)
            for symbol in "AB"
        ]
        text = "".join(["timestamp,symbol,close\n", *rows, *more])
        (self.path / f"{number}.csv").write_text(text)

    def night(self, *numbers: int, record: str = "r.json") -> JobError | None:
        request = Request(
            tuple(f"{self.path}/{number}.csv" for number in numbers),
            f"{self.path}/c.yaml",
            f"{self.path}/m.json",
            None,
            signals=f"{self.path}/{self.signals}",
            partition_by=self.key,
            state=f"{self.path}/s.state",
            record=f"{self.path}/{record}",
        )
        return job.run(request, 0, lambda *_: None).error

    def damaged(self, name: str, random: Random) -> tuple[Path, bytes]:
        """Change one byte of a file; return its path and what it held."""
        path = random.choice(sorted(self.path.glob(name)))
        content = path.read_bytes()
        changed = bytearray(content)
        changed[random.randrange(len(content))] ^= random.randrange(1, 256)
        path.write_bytes(changed)
        return path, content


KINDS = {"csv": ("s.csv", None), "parquet": ("s.parquet", None), "symbols": ("s", "symbol")}


@pytest.mark.parametrize("kind", KINDS)
def test_a_night_that_takes_over_a_changed_byte_is_refused_and_names_the_file(
    tmp_path: Path, kind: str
) -> None:
    nights = Nights(tmp_path, *KINDS[kind])
    signals = "s/*/signals.parquet" if kind == "symbols" else KINDS[kind][0]
    for number in range(CASES):
        for name in ("s.state", signals):
            path, content = nights.damaged(name, Random(f"{kind} {name} {number}"))
            error = nights.night(0, 1, record="other.json")
            assert isinstance(error, DataError), (name, number)
            assert str(path) in error.message
            path.write_bytes(content)
    assert nights.night(0, 1) is None


def test_bars_are_read_when_history_is_compared(tmp_path: Path) -> None:
    nights = Nights(tmp_path, "s.csv", None)
    # A bar before the last one of its series, as it was: it is held against what is known.
    nights.write(1, ["2024-01-01 00:09:00,A,108.0\n"])
    for number in range(CASES):
        path, content = nights.damaged("s.state.0.bars", Random(number))
        error = nights.night(1, record="other.json")
        assert isinstance(error, DataError), number
        assert error.message.startswith(f"{path}, which belongs to {tmp_path}/s.state, is damaged")
        path.write_bytes(content)


@pytest.mark.parametrize("kind", KINDS)
def test_verify_finds_every_changed_byte_and_names_the_file(tmp_path: Path, kind: str) -> None:
    nights = Nights(tmp_path, *KINDS[kind])
    signals = "s/*/signals.parquet" if kind == "symbols" else KINDS[kind][0]
    assert verify(f"{tmp_path}/r.json").document["holds"]
    for number in range(CASES):
        for name in ("s.state", "s.state.0.bars", signals, "m.json"):
            path, content = nights.damaged(name, Random(f"{kind} {name} {number}"))
            points = verify(f"{tmp_path}/r.json").document["points"]
            assert isinstance(points, list)
            assert [point["of"] for point in points if not point["holds"]] == [str(path)], name
            path.write_bytes(content)
    assert verify(f"{tmp_path}/r.json").document["holds"]


def test_a_record_with_a_changed_byte_is_refused_and_named(tmp_path: Path) -> None:
    nights = Nights(tmp_path, "s.csv", None)
    for number in range(CASES * 5):
        path, content = nights.damaged("r.json", Random(number))
        with pytest.raises(DataError) as caught:
            verify(str(path))
        assert str(path) in caught.value.message, number
        path.write_bytes(content)
    assert verify(f"{tmp_path}/r.json").document["holds"]


def test_verify_finds_a_partition_that_was_damaged_before_a_night_that_only_kept_it(
    tmp_path: Path,
) -> None:
    nights = Nights(tmp_path, "s", "date")
    path, _ = nights.damaged("s/date=2024-01-01/signals.parquet", Random(1))
    # The night adds another day, and its record is made of what stands there.
    assert nights.night(0, 1) is None
    points = verify(f"{tmp_path}/r.json").document["points"]
    assert isinstance(points, list)
    assert [point["of"] for point in points if not point["holds"]] == [str(path)]
