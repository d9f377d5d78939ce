"""What was read from a server can be told, verified and recognized, as that of a file can."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from rollsignal.commands.verify import verify
from rollsignal.outputs.record.document import load_record
from rollsignal.outputs.state.document import load_state
from tests.support.packers import PACKERS
from tests.support.records import forged
from tests.support.shell import CONFIG, Recorded, command
from tests.support.stores import Served, plainly_serving
from tests.support.workbooks import Cell, number, workbook

CLOSES = ["1.5", "2", "1.25", "2", "2", "3", "1", "4"]
QUERY = "?X-Amz-Signature=SIGNATURE&Expires=1"


def csv(closes: Sequence[str], first: int = 1) -> bytes:
    start = datetime(2024, 1, first)
    rows = (f"{start + timedelta(row):%Y-%m-%d},{close}\n" for row, close in enumerate(closes))
    return ("day,close\n" + "".join(rows)).encode()


def columnar(closes: Sequence[str], form: str) -> bytes:
    file = io.BytesIO()
    table = pl.read_csv(io.BytesIO(csv(closes)), try_parse_dates=True)
    (table.write_parquet if form == "parquet" else table.write_ipc)(file)
    return file.getvalue()


def ndjson(closes: Sequence[str]) -> bytes:
    rows = (line.split(",") for line in csv(closes).decode().splitlines()[1:])
    return "".join(f'{{"day": "{day}", "close": {close}}}\n' for day, close in rows).encode()


def sheet(closes: Sequence[str]) -> bytes:
    rows = (line.split(",") for line in csv(closes).decode().splitlines()[1:])
    bars: list[tuple[Cell | str, ...]] = [(day, number(close)) for day, close in rows]
    return workbook([("day", "close"), *bars])


def rate(closes: Sequence[str]) -> float:
    """Compute the rate of signals with a window of 2, from the closes as they are written."""
    values = list(map(Fraction, closes))
    ones = sum(2 * now > before + now for before, now in pairwise(values))
    return float(round(Fraction(ones, len(values) - 1), 4))


FORMS = {
    "csv": csv(CLOSES),
    "gz": PACKERS["gzip"](csv(CLOSES)),
    "zip": PACKERS["zip"](csv(CLOSES)),
    "ndjson": ndjson(CLOSES),
    "xlsx": sheet(CLOSES),
    "parquet": columnar(CLOSES, "parquet"),
    "arrow": columnar(CLOSES, "arrow"),
}


class Night(Recorded):
    """A job that reads URLs."""

    def value(self, url: str, *more: str, code: int = 0) -> object:
        assert self.run(*more, input=url) == code
        metrics = self.metrics()
        return metrics["value"] if code == 0 else metrics["error_message"]

    def file(self) -> dict[str, Any]:
        (only,) = self.read()["inputs"]
        return {**only["file"], **{name: only[name] for name in ("sha256_after", "compared_by")}}

    def skipped(self, url: str, *more: str) -> bool:
        before = len(self.events())
        self.value(url, "--if-changed", *more)
        return any("nothing changed" in line for line in self.events()[before:])

    def wrong(self) -> dict[str, Any]:
        """Verify the record; return what is found where it does not hold."""
        points: Any = verify(str(self.record)).document["points"]
        return {point["point"]: point["found"] for point in points if not point["holds"]}


@pytest.fixture
def night(tmp_path: Path) -> Night:
    return Night(tmp_path)


@pytest.fixture
def bucket(store: Served) -> Iterator[str]:
    """Return the name of a bucket for this test alone."""
    name = f"inputs-{len(list(store.root.iterdir()))}"
    (store.root / name).mkdir()
    yield name
    store.before = lambda handler: None


def fetched(store: Served) -> list[str]:
    """Return the ranges asked for since the last call, without looks at a single byte."""
    ranges = [wanted for _, _, wanted in store.asked if wanted != "bytes=0-0"]
    store.asked.clear()
    return ranges


KINDS = ["s3://{bucket}/bars", "gs://{bucket}/bars", "{url}/{bucket}/bars"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("form", FORMS)
def test_a_record_holds_size_etag_and_sha256_of_an_object(
    store: Served, bucket: str, night: Night, form: str, kind: str
) -> None:
    data = FORMS[form]
    store.put(f"{bucket}/bars", data)
    assert night.value(kind.format(bucket=bucket, url=store.url)) == rate(CLOSES)
    modified_ns = int((store.root / bucket / "bars").stat().st_mtime) * 10**9
    sha256 = hashlib.sha256(data).hexdigest()
    assert night.file() == {
        "path": kind.format(bucket=bucket, url=store.url),
        "size": len(data),
        "mtime_ns": modified_ns,
        "ctime_ns": None,
        "inode": None,
        "sha256": sha256,
        "etag": f'"{hashlib.md5(data).hexdigest()}"',
        "version": None,
        "sha256_after": sha256,
        "compared_by": "etag",
    }
    assert night.wrong() == {}


@pytest.mark.parametrize("etag", ["", 'W/"1"'])
def test_without_a_strong_etag_an_object_is_hashed_again_after_the_run(
    store: Served, bucket: str, night: Night, etag: str
) -> None:
    store.put(f"{bucket}/bars", FORMS["csv"])
    with plainly_serving(store.root / bucket, etag=etag) as url:
        assert night.value(f"{url}/bars") == rate(CLOSES)
        file = night.file()
    assert file["etag"] == (etag or None)
    assert file["compared_by"] == "sha256"
    assert file["sha256"] == file["sha256_after"] == hashlib.sha256(FORMS["csv"]).hexdigest()


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_verify_reads_an_object_again_and_tells_where_it_differs(
    store: Served, bucket: str, night: Night, form: str
) -> None:
    store.put(f"{bucket}/bars", FORMS[form])
    night.value(f"s3://{bucket}/bars")
    changed = [*CLOSES[:-1], "0"]
    data = csv(changed) if form == "csv" else columnar(changed, "parquet")
    store.put(f"{bucket}/bars", data)
    wrong = night.wrong()
    assert wrong["input"] == hashlib.sha256(data).hexdigest()
    assert wrong.keys() == {"input", "tally", "digest"}
    (store.root / bucket / "bars").unlink()
    wrong = night.wrong()
    assert wrong["input"] is None
    assert wrong["derivation"] == f"Input data file not found (path: s3://{bucket}/bars)"


def test_a_run_is_not_repeated_for_an_object_of_the_same_etag_and_size(
    store: Served, bucket: str, night: Night
) -> None:
    store.put(f"{bucket}/day=1/bars", FORMS["csv"])
    url = f"s3://{bucket}/"
    assert night.value(url) == rate(CLOSES)
    fetched(store)
    assert night.skipped(url)
    # What is left is the list of the folder.
    assert set(fetched(store)) == {""}
    # As long as before.
    closes = [*CLOSES[:-1], "0"]
    store.put(f"{bucket}/day=1/bars", csv(closes))
    assert not night.skipped(url)
    assert night.metrics()["value"] == rate(closes)
    store.put(f"{bucket}/day=2/bars", csv(["5", "6"], first=20))
    assert not night.skipped(url)
    assert night.skipped(url)


@pytest.mark.parametrize("etag", ["", 'W/"1"'])
def test_without_a_strong_etag_the_bytes_decide_whether_a_run_is_repeated(
    store: Served, bucket: str, night: Night, etag: str
) -> None:
    store.put(f"{bucket}/bars", FORMS["csv"])
    with plainly_serving(store.root / bucket, etag=etag) as url:
        night.value(f"{url}/bars")
        assert night.skipped(f"{url}/bars")
        closes = [*CLOSES[:-1], "0"]
        store.put(f"{bucket}/bars", csv(closes))
        assert not night.skipped(f"{url}/bars")
        assert night.metrics()["value"] == rate(closes)


def test_a_record_from_before_objects_were_hashed_is_read_and_its_run_repeated(
    store: Served, bucket: str, night: Night
) -> None:
    store.put(f"{bucket}/bars", FORMS["csv"])
    url = f"s3://{bucket}/bars"
    night.value(url)
    record = night.read()
    (read,) = record["inputs"]
    read |= {"sha256_after": None, "compared_by": None}
    read["file"] = dict.fromkeys(("size", "mtime_ns", "ctime_ns", "inode", "sha256")) | {
        "path": url
    }
    for output in record["outputs"]:
        del output["etag"], output["version"]
    night.record.write_text(forged(record))
    assert load_record(str(night.record)).inputs[0].file.etag is None
    assert night.wrong()["input"] == "not a file that can be read again"
    assert not night.skipped(url)
    assert night.skipped(url)


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_an_object_that_changes_between_its_hash_and_the_end_fails_the_run(
    store: Served, bucket: str, night: Night, form: str
) -> None:
    store.put(f"{bucket}/bars", FORMS[form])
    asked: list[str] = []

    def change(handler: Any) -> None:
        asked.append(handler.headers.get("Range", ""))
        if len(asked) == 2:
            closes = [*CLOSES[:-1], "0"]
            data = csv(closes) if form == "csv" else columnar(closes, form)
            store.put(f"{bucket}/bars", data)

    store.before = change
    message = night.value(f"s3://{bucket}/bars", code=74)
    assert message == "Input data file changed while it was read"
    assert night.read()["error"]["exit_code"] == 74


def test_an_object_that_is_gone_at_the_end_fails_the_run(
    store: Served, bucket: str, night: Night
) -> None:
    store.put(f"{bucket}/bars", FORMS["csv"])

    def remove(handler: Any) -> None:
        if len(store.asked) == 3:
            (store.root / bucket / "bars").unlink()

    store.asked.clear()
    store.before = remove
    message = night.value(f"s3://{bucket}/bars", code=74)
    assert message == "Input data file changed while it was read"


def test_the_signature_of_a_url_is_in_no_record_and_no_state(
    store: Served, bucket: str, night: Night
) -> None:
    store.put(f"{bucket}/bars", FORMS["csv"])
    url = f"{store.url}/{bucket}/bars"
    state = night.folder / "s.state"
    for flags in ((), (f"--state={state}",)):
        assert night.value(url + QUERY, *flags) == rate(CLOSES)
        assert night.file()["path"] == f"{url}?…"
        assert night.file()["sha256"] == hashlib.sha256(FORMS["csv"]).hexdigest()
        # Another signature names the same object.
        assert night.skipped(url + QUERY.replace("SIGNATURE", "ANOTHER"), *flags)
        reason = "its URL has a query, which a record does not hold, so it cannot be read again"
        assert night.wrong() == {"input": reason, "derivation": reason}
    left = night.record.read_bytes() + state.read_bytes() + night.log.read_bytes()
    assert b"SIGNATURE" not in left
    assert b"ANOTHER" not in left


class Continued(Night):
    """A job that continues a state."""

    def value(self, url: str, *more: str, code: int = 0) -> object:
        return super().value(url, f"--state={self.folder / 's.state'}", *more, code=code)

    def stamps(self) -> list[tuple[int | str, ...]]:
        state = load_state(str(self.folder / "s.state"))
        assert state
        return [file.stamp for file in state.inputs]


@pytest.fixture
def continued(tmp_path: Path) -> Continued:
    return Continued(tmp_path)


@pytest.mark.parametrize("form", FORMS)
def test_a_state_skips_objects_of_the_same_etag_and_size(
    store: Served, bucket: str, continued: Continued, form: str
) -> None:
    store.put(f"{bucket}/1", FORMS[form])
    assert continued.value(f"s3://{bucket}/") == rate(CLOSES)
    store.put(f"{bucket}/2", csv(["5", "4", "6"], first=20))
    store.asked.clear()
    assert continued.value(f"s3://{bucket}/") == rate([*CLOSES, "5", "4", "6"])
    of_known = [wanted for _, path, wanted in store.asked if path.startswith(f"/{bucket}/1")]
    assert set(of_known) == {"bytes=0-0"}
    etags = [hashlib.md5((store.root / bucket / name).read_bytes()).hexdigest() for name in "12"]
    sizes = [(store.root / bucket / name).stat().st_size for name in "12"]
    assert continued.stamps() == [
        (size, f'"{etag}"') for size, etag in zip(sizes, etags, strict=True)
    ]
    inputs = continued.read()["inputs"]
    assert [read["compared_by"] for read in inputs] == ["state", "etag"]
    assert [read["file"]["etag"] for read in inputs] == [f'"{etag}"' for etag in etags]
    assert continued.wrong() == {}


def test_an_object_that_has_grown_goes_on_where_it_ended(
    store: Served, bucket: str, continued: Continued
) -> None:
    for count in (4, 6, 8):
        store.put(f"{bucket}/bars", csv(CLOSES[:count]))
        assert continued.value(f"s3://{bucket}/bars") == rate(CLOSES[:count])
        assert continued.metrics()["rows_processed"] == count


@pytest.mark.parametrize("timed", [True, False])
def test_a_file_that_grows_on_a_server_without_parts_and_etags_goes_on_where_it_ended(
    store: Served, bucket: str, continued: Continued, timed: bool
) -> None:
    continued.config.write_text(CONFIG + ("" if timed else "columns: {timestamp: none}\n"))
    with plainly_serving(store.root / bucket) as url:
        for count in (4, 4, 6, 8):
            data = csv(CLOSES[:count]) if timed else "\n".join(["close", *CLOSES[:count], ""])
            store.put(f"{bucket}/bars", data if isinstance(data, bytes) else data.encode())
            assert continued.value(f"{url}/bars") == rate(CLOSES[:count])
            assert continued.metrics()["rows_processed"] == count
        assert continued.stamps() == [()]
        assert continued.wrong() == {}


@pytest.mark.parametrize("query", ["", QUERY])
def test_an_object_that_was_restated_is_noticed_and_decided_again(
    store: Served, bucket: str, continued: Continued, query: str
) -> None:
    store.put(f"{bucket}/1", csv(CLOSES))
    store.put(f"{bucket}/2", csv(["5"], first=20))
    one, two = (f"{store.url}/{bucket}/{name}{query}" for name in "12")
    continued.value(one)
    assert continued.value(two) == rate([*CLOSES, "5"])
    closes = ["3", *CLOSES[1:], "5"]
    store.put(f"{bucket}/1", csv(closes[:-1]))
    message = continued.value(one, code=65)
    assert str(message).startswith("History was restated: 1 bar")
    continued.config.write_text(CONFIG + "on_restatement: recompute\n")
    if query:
        # A state holds no signature with which the other could be read.
        message = continued.value(one, code=66)
        assert "a URL that the state has read had a query" in str(message)
        flags = continued.arguments(f"--state={continued.folder / 's.state'}")
        assert command("run", *flags[1:], "--input", one, two) == 0
        assert continued.metrics()["value"] == rate(closes)
    else:
        assert continued.value(one) == rate(closes)


def test_an_object_under_another_name_is_known_only_where_the_former_is_gone(
    store: Served, bucket: str, continued: Continued
) -> None:
    continued.config.write_text(CONFIG + "columns: {timestamp: none}\n")
    data = "\n".join(["close", *CLOSES, ""]).encode()
    store.put(f"{bucket}/a/1", data)
    continued.value(f"s3://{bucket}/a/1")
    (store.root / bucket / "a" / "1").unlink()
    store.put(f"{bucket}/b/1", data)
    assert continued.value(f"s3://{bucket}/b/1") == rate(CLOSES)
    store.put(f"{bucket}/c/1", data)
    assert continued.value(f"s3://{bucket}/c/1") == rate([*CLOSES, *CLOSES])
