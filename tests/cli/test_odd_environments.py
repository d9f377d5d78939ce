"""A run is the same on a machine that is set up oddly, or says what it cannot do there."""

import itertools
import json
import os
import resource
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.support.shell import CONFIG, ROOT, command, strict_json

# Neither UTF-8 nor what Python does to have it all the same; and a home that is nowhere.
BARE = {
    "LC_ALL": "C",
    "PYTHONUTF8": "0",
    "PYTHONCOERCECLOCALE": "0",
    "HOME": "/nonexistent/home",
    "PYTHONPATH": str(ROOT),
}
MANY_FILES, FEW_DESCRIPTORS = 200, 64
HOURS = [f"2024-01-{1 + hour // 24:02} {hour % 24:02}:30:00" for hour in range(60)]


def bars(folder: Path, name: str, begin: int, end: int) -> str:
    """Write the bars of some hours, without a zone."""
    rows = [f"{HOURS[row]},{100 + row * 7 % 11}.25\n" for row in range(begin, end)]
    path = folder / name
    path.write_text("timestamp,close\n" + "".join(rows))
    return str(path)


def metrics(text: str | bytes) -> dict[str, object]:
    document = json.loads(text)
    document.pop("latency_ms", None)
    return dict(document)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "config.yaml").write_text(CONFIG)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_many_files_few_descriptors_no_utf_8_and_no_home_change_nothing(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "é").mkdir()
    (folder / "ü").mkdir()
    for number in range(MANY_FILES):
        stamp = f"2024-01-01 {number // 60:02}:{number % 60:02}:00"
        text = f"timestamp,close\n{stamp},{100 + number * 7 % 11}\n"
        (folder / "é" / f"{number:03}.csv").write_text(text)
    flags = ("run", "--input", "é", "--record", "ü/r.json", "--state", "ü/s.state")
    process = subprocess.run(
        [sys.executable, "-m", "rollsignal", *flags],
        env=BARE,
        capture_output=True,
        check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (FEW_DESCRIPTORS,) * 2),
    )
    assert (process.returncode, process.stderr) == (0, b"")
    assert command("run", "--input", "é", "--output", "again.json") == 0
    assert metrics(process.stdout) == metrics(capsys.readouterr().out)
    assert command("verify", "ü/r.json") == 0


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_the_zone_of_the_machine_may_change_between_nights(folder: Path, suffix: str) -> None:
    first, second = bars(folder, "1.csv", 0, 40), bars(folder, "2.csv", 40, 60)
    with pytest.MonkeyPatch.context() as patch:
        for zone, inputs in (("Asia/Tokyo", [first]), ("America/New_York", [first, second])):
            patch.setenv("TZ", zone)
            time.tzset()
            flags = ("--state", "s.state", "--signals", f"nights.{suffix}")
            assert command("run", "--input", *inputs, *flags) == 0
    time.tzset()
    assert command("run", "--input", first, second, "--signals", f"whole.{suffix}") == 0
    nights, whole = folder / f"nights.{suffix}", folder / f"whole.{suffix}"
    assert nights.read_bytes() == whole.read_bytes()


def test_a_clock_that_is_set_back_again_and_again_changes_no_number(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, back = bars(folder, "1.csv", 0, 60), itertools.count()
    seconds, nanoseconds = time.time, time.time_ns
    monkeypatch.setattr(time, "time", lambda: seconds() - 3600 * next(back))
    monkeypatch.setattr(time, "time_ns", lambda: nanoseconds() - 3600 * 10**9 * next(back))
    assert command("run", "--input", path, "--record", "r.json", "--state", "s.state") == 0
    assert int(str(strict_json((folder / "metrics.json").read_text())["latency_ms"])) >= 0
    assert command("verify", "r.json") == 0
    assert command("run", "--input", path, "--state", "s.state") == 0


def test_bytes_in_a_path_that_are_no_characters_are_printed_so_that_json_reads_them(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    odd = os.fsdecode(b"bars\xff")
    (folder / odd).mkdir()
    path = bars(folder / odd, "1.csv", 0, 60)
    assert command("run", "--input", path, "--record", f"{odd}/r.json") == 0
    capsys.readouterr()
    assert command("verify", f"{odd}/r.json") == 0
    assert json.loads(capsys.readouterr().out)["record"] == f"{odd}/r.json"


def test_what_polars_reads_and_writes_needs_a_path_of_characters(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    odd, path = os.fsdecode(b"bars\xff.parquet"), bars(folder, "1.csv", 0, 60)
    assert command("run", "--input", path, "--signals", "good.parquet") == 0
    assert command("run", "--input", path, "--signals", odd) == 73
    (folder / odd).write_bytes((folder / "good.parquet").read_bytes())
    assert command("run", "--input", odd) == 66
    assert command("evaluate", odd) == 66
    assert capsys.readouterr().err.count("polars opens no path with bytes that are not UTF-8") == 3
    (folder / odd).rename(folder / "renamed.parquet")
    assert command("run", "--input", "renamed.parquet", "--set", "columns.symbol=none") == 0
