"""A changed file is noticed, even if its times do not show the change."""

import hashlib
import os
from pathlib import Path

from rollsignal.files.fingerprints import CLOCK_STEP_NS, Fingerprint, again, fingerprint


def taken(path: Path) -> Fingerprint:
    current = fingerprint(str(path))
    assert current
    return current


def test_a_fingerprint_holds_the_size_and_the_sha256_of_all_bytes(tmp_path: Path) -> None:
    path = tmp_path / "bars"
    path.write_bytes(b"close\n1\n" * 300_000)
    current = taken(path)
    assert current.size == 2_400_000
    assert current.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


def test_only_a_regular_file_has_a_fingerprint(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for name in ("pipe", "nothing", ".", "\0"):
        assert fingerprint(str(tmp_path / name)) is None


def test_a_file_left_alone_for_long_is_known_by_its_times(tmp_path: Path) -> None:
    path = tmp_path / "bars"
    path.write_text("1")
    # The wrong hash is kept, so no bytes were read.
    before = taken(path)._replace(sha256="kept")
    late = (before.ctime_ns or 0) + CLOCK_STEP_NS + 1
    assert again(str(path), before, late) == (before, "stat")


def test_a_file_just_changed_is_hashed_because_its_times_may_not_show_it(tmp_path: Path) -> None:
    path = tmp_path / "bars"
    path.write_text("1")
    before = taken(path)._replace(sha256="kept")
    after, by = again(str(path), before, (before.ctime_ns or 0) + CLOCK_STEP_NS)
    assert by == "sha256"
    assert after == before._replace(sha256=hashlib.sha256(b"1").hexdigest())


def test_a_touched_file_is_the_same_by_its_hash(tmp_path: Path) -> None:
    path = tmp_path / "bars"
    path.write_text("1")
    before = taken(path)
    os.utime(path, ns=(1, 1))
    after, by = again(str(path), before, (before.ctime_ns or 0) + 2 * CLOCK_STEP_NS)
    assert by == "sha256"
    assert after
    assert after.sha256 == before.sha256


def test_a_missing_file_has_no_fingerprint(tmp_path: Path) -> None:
    path = tmp_path / "bars"
    path.write_text("1")
    before = taken(path)
    path.unlink()
    assert again(str(path), before, 0) == (None, "sha256")
