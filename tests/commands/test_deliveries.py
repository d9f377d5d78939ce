"""Outputs in a store are those of a folder, whole, and named by the record of a success."""

from __future__ import annotations

import hashlib
import json
import os
import re
import signal
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from rollsignal.commands.verify import verify
from rollsignal.files import delivery
from tests.support.shell import CONFIG, Finished, Job, command, process_arguments
from tests.support.stores import Served

DAYS: Mapping[int, Sequence[float]] = {1: [1, 2, 3, 4, 5, 4], 2: [3, 4, 3, 5], 3: [9, 8, 7.25, 7]}
# The signals of each form, and how they are partitioned.
FORMS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "csv": ("signals.csv", ()),
    "days": ("signals", ("--partition-by=date",)),
    "symbols": ("signals.arrow", ("--partition-by=symbol",)),
}
# A request, and what is to happen when it comes.
Deed = Callable[[Any], None]
# What differs from run to run, or is stored in another way.
OTHER = ("metrics.json", "record.json", "btc.state", "btc.state.0.bars")


class Delivering(Job):
    """A job that reads a file a day, and writes all outputs to a folder or a store."""

    def __init__(self, folder: Path, base: str, form: str = "days", *, has_state: bool = True):
        super().__init__(folder)
        self.base = base
        self.bars = folder / "bars"
        self.bars.mkdir(exist_ok=True)
        name, by = FORMS[form]
        self.signals = f"{base}/{name}"
        self.flags = (f"--signals={self.signals}", *by, f"--summary={base}/summary.json")
        self.flags += (f"--record={base}/record.json",)
        self.flags += (f"--state={base}/btc.state",) if has_state else ()

    def deliver(self, day: int) -> None:
        rows = [
            f"2024-01-{day:02d}T00:{minute:02d}:00Z,{'AB'[minute % 2]},{close}\n"
            for minute, close in enumerate(DAYS[day])
        ]
        (self.bars / f"{day}.csv").write_text("time,symbol,close\n" + "".join(rows))

    def night(self, *more: str, **paths: object) -> int:
        usual = {"input": self.bars, "output": f"{self.base}/metrics.json"}
        return self.run(*self.flags, *more, **(usual | paths))

    def other_night(self) -> Finished:
        """Run as a process of its own."""
        line = self.arguments(
            "-q", *self.flags, input=self.bars, output=f"{self.base}/metrics.json"
        )
        arguments = process_arguments(*line)
        environment, folder = dict(os.environ), self.folder
        return subprocess.run(
            arguments, cwd=folder, env=environment, capture_output=True, text=True, check=False
        )

    def nights(self, *days: int) -> None:
        for day in days:
            self.deliver(day)
            assert self.night() == 0


class Place:
    """A folder in a bucket of its own, where a job writes."""

    def __init__(self, store: Served, name: str) -> None:
        self.store = store
        self.root = store.root / name
        self.root.mkdir()
        self.url = f"s3://{name}/btc"

    def files(self) -> dict[str, bytes]:
        return contents(self.root / "btc")

    def record(self) -> Any:
        return json.loads(self.files()["record.json"])

    def check_record(self) -> None:
        """Check that what a record of success names is there, byte for byte."""
        files = self.files()
        record = json.loads(files.get("record.json", b'{"status": "none"}'))
        for output in record["outputs"] if record["status"] == "success" else ():
            data = files[output["path"].removeprefix(f"{self.url}/")]
            assert (len(data), hashlib.sha256(data).hexdigest()) == (
                output["size"],
                output["sha256"],
            )
            assert output["etag"] == f'"{hashlib.md5(data).hexdigest()}"'


def contents(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def results(files: Mapping[str, bytes]) -> dict[str, bytes]:
    """Return the outputs that are the same in every run over the same bars."""
    return {
        name: data
        for name, data in files.items()
        if name not in OTHER
        and not name.startswith(("btc.state.bars/", ".rollsignal-", "signals/."))
    }


@pytest.fixture
def place(store: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    """Return a place in a store; what is on its way there is in a folder of this test."""
    (tmp_path / "tmp").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))
    store.quiet()
    place = Place(store, f"deliveries-{len(list(store.root.iterdir()))}")
    yield place
    store.quiet()
    assert list((tmp_path / "tmp").iterdir()) == []


def at(method: str, part: str, deed: Deed) -> Deed:
    """Return a hook that does something once, at the first such request."""
    left = [deed]

    def hook(handler: Any) -> None:
        # The objects of bars are below the name of the state.
        is_wanted = re.search(f"{part}($|[^.])", handler.path)
        if left and handler.command == method and is_wanted:
            left.pop()(handler)

    return hook


def hang_up(handler: Any) -> None:
    raise ConnectionError


@pytest.mark.parametrize("form", FORMS)
def test_outputs_in_a_store_have_the_bytes_of_those_in_a_folder_night_by_night(
    place: Place, tmp_path: Path, form: str
) -> None:
    here = Delivering(tmp_path, str(tmp_path / "out"), form)
    there = Delivering(tmp_path, place.url, form)
    for day in (1, 2):
        here.nights(day)
        assert there.night() == 0
        assert results(place.files()) == results(contents(tmp_path / "out"))
        place.check_record()
    named = {output["path"].removeprefix(f"{place.url}/") for output in place.record()["outputs"]}
    assert named == place.files().keys() - {"record.json"}
    assert verify(f"{place.url}/record.json").exit_code == 0
    place.store.put(f"{place.root.name}/btc/summary.json", b"[]")
    assert verify(f"{place.url}/record.json").exit_code == 65


def test_without_a_state_other_partitions_are_removed_after_the_record_or_kept(
    place: Place, tmp_path: Path
) -> None:
    job = Delivering(tmp_path, place.url, has_state=False)
    job.nights(1, 2)
    (job.bars / "1.csv").unlink()
    seen: list[dict[str, bytes]] = []
    place.store.after = at("PUT", "metrics.json", lambda handler: seen.append(place.files()))
    job.nights(3)
    assert "signals/date=2024-01-01/signals.parquet" in seen[0]
    days = [name[13:23] for name in place.files() if name.startswith("signals/date=")]
    assert sorted(days) == ["2024-01-02", "2024-01-03"]
    place.check_record()
    before = len(job.events())
    assert job.night("--if-changed") == 0
    assert any("nothing changed" in line for line in job.events()[before:])
    kept = place.files()["signals/date=2024-01-02/signals.parquet"]
    assert job.night("--since=2024-01-03") == 0
    assert place.files()["signals/date=2024-01-02/signals.parquet"] == kept
    assert len(place.record()["outputs"]) == 4
    place.check_record()


def test_an_upload_that_is_cut_off_ends_with_74_and_leaves_the_former_objects(
    place: Place, tmp_path: Path
) -> None:
    job = Delivering(tmp_path, place.url, "csv", has_state=False)
    job.nights(1)
    before = results(place.files())
    job.deliver(2)

    def cut(handler: Any) -> None:
        if "signals.csv" in handler.path and handler.command == "PUT":
            handler.rfile.read(1)
            raise ConnectionError

    place.store.before = cut
    assert job.night() == 74
    assert results(place.files()) == before
    message = "Output could not be written: no connection to the server"
    assert json.loads(place.files()["metrics.json"])["error_message"] == message
    assert place.record()["error"]["exit_code"] == 74


def test_of_two_runs_on_one_state_the_second_ends_with_75_and_changes_nothing(
    place: Place, tmp_path: Path
) -> None:
    job = Delivering(tmp_path, place.url)
    job.nights(1)
    job.deliver(2)
    first: list[dict[str, bytes]] = []

    codes: list[object] = []

    def overtake(handler: Any) -> None:
        done = job.other_night()
        codes.append((done.returncode, done.stderr))
        first.append(place.files())

    place.store.before = at("PUT", "/.rollsignal-", overtake)
    assert job.night() == 75
    assert codes == [(0, "")]
    bars = {name for name in place.files() if name.startswith("btc.state.bars/")}
    assert {name: data for name, data in place.files().items() if name not in bars} == {
        name: data for name, data in first[0].items() if name not in bars
    }
    assert place.record()["status"] == "success"
    place.check_record()
    assert job.night() == 0
    assert results(place.files()) == results(first[0])


# Before the state is put a night has not happened, and after it it has.
@pytest.mark.parametrize(
    ("part", "has_happened"),
    [
        ("/.rollsignal-", False),
        ("/btc.state", True),
    ],
)
def test_a_night_that_is_killed_has_happened_or_not_and_the_next_one_says_which(
    place: Place, tmp_path: Path, part: str, has_happened: bool
) -> None:
    here = Delivering(tmp_path, str(tmp_path / "out"))
    here.nights(1)
    job = Delivering(tmp_path, place.url)
    assert job.night() == 0
    here.nights(2)

    def kill(handler: Any) -> None:
        os.kill(int(place.record()["process"]["id"]), signal.SIGKILL)

    place.store.after = at("PUT", part, kill)
    assert job.other_night().returncode == -signal.SIGKILL
    place.store.quiet()
    assert place.record()["status"] == "running"
    (job.bars / "2.csv").unlink()
    assert job.night() == 0
    place.check_record()
    night = results(contents(tmp_path / "out"))
    assert (results(place.files()) == night) == has_happened
    job.deliver(2)
    assert job.night() == 0
    assert results(place.files()) == night


def test_signals_that_cannot_be_copied_are_put_in_place_by_the_next_run(
    place: Place, tmp_path: Path
) -> None:
    job = Delivering(tmp_path, place.url, "csv")
    job.nights(1)
    job.deliver(2)

    def refuse(handler: Any) -> None:
        if handler.headers.get("x-amz-copy-source"):
            raise ConnectionError

    place.store.before = refuse
    assert job.night() == 74
    assert "the next run with it puts them in place" in "".join(job.events())
    place.store.quiet()
    assert job.night() == 0
    there = results(place.files())
    other = Delivering(tmp_path, str(tmp_path / "out"), "csv")
    assert other.night() == 0
    assert there == results(contents(tmp_path / "out"))


def test_restated_bars_are_told_by_those_in_the_store_and_what_is_gone_is_named(
    place: Place, tmp_path: Path
) -> None:
    job = Delivering(tmp_path, place.url, "csv")
    job.nights(1, 2)
    text = (job.bars / "1.csv").read_text()
    (job.bars / "1.csv").write_text(text.replace("B,4", "B,4.5"))
    assert job.night() == 65
    assert json.loads(place.files()["metrics.json"])["error_message"].startswith(
        "History was restated: 2 bars of B from 2024-01-01T00:03:00Z on"
    )
    job.config.write_text(CONFIG + "on_restatement: recompute\n")
    assert job.night() == 0
    other = Delivering(tmp_path, str(tmp_path / "out"), "csv")
    assert other.night() == 0
    assert results(place.files()) == results(contents(tmp_path / "out"))
    (bars,) = json.loads(place.files()["btc.state"].splitlines()[0])["segments"]
    (place.root / "btc" / "btc.state.bars" / bars["name"]).unlink()
    job.deliver(3)
    assert job.night() == 65
    message = json.loads(place.files()["metrics.json"])["error_message"]
    state = f"{place.url}/btc.state"
    assert message == f"{state}.bars/{bars['name']}, which belongs to {state}, is gone"


def test_former_signals_that_were_changed_are_refused(place: Place, tmp_path: Path) -> None:
    job = Delivering(tmp_path, place.url, "csv")
    job.nights(1)
    text = place.files()["signals.csv"]
    place.store.put(f"{place.root.name}/btc/signals.csv", text.replace(b",1\n", b",0\n"))
    job.deliver(2)
    assert job.night() == 65
    changed = f"{place.url}/signals.csv was changed after the run before had written it"
    assert changed in "".join(job.events())


def test_what_killed_runs_have_left_long_ago_is_removed(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = Delivering(tmp_path, place.url, "csv")
    job.nights(1)
    left = ("btc/.rollsignal-0/signals.csv", "btc/btc.state.bars/9.0")
    for name in left:
        place.store.put(f"{place.root.name}/{name}", b"x")
    job.nights(2)
    assert all((place.root / name).exists() for name in left)
    monkeypatch.setattr(delivery, "STALE_NS", -(10**10))
    job.nights(3)
    assert not any((place.root / name).exists() for name in left)
    place.check_record()


def test_a_full_or_missing_folder_for_temporary_files_is_named(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = Delivering(tmp_path, place.url, "csv")
    job.deliver(1)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "nowhere"))
    assert job.night() == 73
    (message,) = (line for line in job.events() if "ERROR" in line)
    assert "no folder for temporary files: No such file or directory" in message
    assert "name a folder in TMPDIR" in message


@pytest.mark.parametrize(
    ("url", "name", "value", "reason"),
    [
        ("s3://b/x", "AWS_SECRET_ACCESS_KEY", None, "Missing SecretAccessKey"),
        ("s3://b/x", "AWS_ENDPOINT_URL", "", "AWS_ENDPOINT_URL is empty: unset it"),
        ("s3://b/x", "AWS_ENDPOINT_URL_S3", "store:9000", "is not as https://host:9000"),
        ("s3://b/x", "AWS_ENDPOINT_URL", "http://k3y@host:99999", "is not as https://host:9000"),
        ("gs://b/x", "GOOGLE_SERVICE_ACCOUNT", "none.json", "Unable to open service account file"),
        ("az://b/x", "AZURE_STORAGE_USE_EMULATOR", None, "Account must be specified"),
    ],
)
def test_wrong_settings_for_a_store_end_with_73_and_as_an_input_with_66(
    store: Served,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    url: str,
    name: str,
    value: str | None,
    reason: str,
) -> None:
    store.quiet()
    if value is None:
        monkeypatch.delenv(name)
    else:
        monkeypatch.setenv(name, value)
    job = Job(tmp_path)
    for code, where in ((73, {"summary": f"{url}.csv"}), (66, {"input": url})):
        assert command("run", *job.arguments(**where)) == code
        said = capfd.readouterr()
        assert "wrong settings for the store: " in said.err
        assert reason in said.err
        assert "; credentials come from " in said.err
        assert "k3y" not in said.err + said.out
        assert "panicked" not in said.err
        assert job.metrics()["status"] == "error"
    assert store.asked == []


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        ({"log_file": "s3://b/x"}, "--log-file is a URL, but a log is written line by line"),
        ({"output": "https://b/x"}, "--output is written by s3://, gs://, az:// or abfss://"),
        ({"output": "s3:/b/x"}, "--output has one slash after the colon (give the URL as text"),
        ({"signals": "gs:/b/x.csv"}, "--signals has one slash after the colon"),
        ({"output": "s3://b"}, "--output is not the plain URL of an object"),
        ({"output": "s3://b/"}, "--output is not the plain URL of an object"),
        ({"record": "s3://b/a/../x"}, "--record is not the plain URL of an object"),
        ({"record": "s3://b/x?k=v"}, "--record is not the plain URL of an object"),
        ({"signals": "s3://b/i/x.csv", "input": "s3://b/i/"}, "--signals is among the files that"),
        ({"signals": "s3://b/i/x.csv", "input": "s3://b/*/*"}, "--signals is among the files that"),
        (
            {"signals": "s3://b/s", "partition_by": "date", "input": "s3://b/s/date=1/signals.csv"},
            "--signals would replace a file that --input reads",
        ),
        ({"signals": "s3://b/x.csv", "summary": "s3://b/x.csv"}, "are the same file"),
        ({"state": "s3://b/s", "record": "s3://b/s.bars/x"}, "--record is a file where --state"),
    ],
)
def test_a_url_where_nothing_can_be_written_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], flags: dict[str, str], message: str
) -> None:
    assert command("run", *Job(tmp_path).arguments(**flags)) == 2
    assert message in json.loads(capsys.readouterr().out)["error_message"]


def test_a_folder_of_inputs_does_not_stand_for_what_the_run_itself_writes(
    place: Place, tmp_path: Path
) -> None:
    job = Delivering(tmp_path, f"{place.url}/bars")
    job.deliver(1)
    place.store.put(f"{place.root.name}/btc/bars/1.csv", (job.bars / "1.csv").read_bytes())
    for _ in range(2):
        assert job.night(input=f"{place.url}/bars/") == 0
    (read,) = json.loads(place.files()["bars/record.json"])["inputs"]
    assert read["file"]["path"] == f"{place.url}/bars/1.csv"
