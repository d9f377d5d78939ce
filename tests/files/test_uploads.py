"""Objects are put into stores whole or not at all, and over the known version or not at all."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from rollsignal.errors import BusyError, DiskError, OutputError
from rollsignal.files.at_once import AT_ONCE, all_at_once
from rollsignal.files.placing import is_staged, place, unstage
from rollsignal.files.uploads import (
    PART_BYTES,
    fetched,
    head_object,
    objects_below,
    put_object,
    put_over,
    remove_objects,
)
from tests.support.stores import Served


@pytest.fixture
def bucket(store: Served) -> Iterator[str]:
    """Return the name of a bucket for this test alone."""
    name = f"uploads-{len(list(store.root.iterdir()))}"
    (store.root / name).mkdir()
    store.quiet()
    yield name
    store.quiet()


@pytest.mark.parametrize(
    ("scheme", "size"),
    [("s3", 0), ("s3", PART_BYTES), ("s3", PART_BYTES + 1), ("gs", 3), ("gs", PART_BYTES + 1)],
)
def test_an_object_has_the_bytes_of_its_file_and_is_sent_in_parts_above_8_mb(
    store: Served, bucket: str, tmp_path: Path, scheme: str, size: int
) -> None:
    data, file = os.urandom(size), tmp_path / "signals"
    file.write_bytes(data)
    put = put_object(f"{scheme}://{bucket}/a b/c=d", str(file))
    assert (store.root / bucket / "a b" / "c=d").read_bytes() == data
    assert (put.size, put.sha256) == (size, hashlib.sha256(data).hexdigest())
    assert put.etag == f'"{hashlib.md5(data).hexdigest()}"'
    starts = [path for _, path, _ in store.asked if path.endswith("?uploads=")]
    assert len(starts) == (size > PART_BYTES)


def test_an_upload_that_is_cut_off_leaves_the_object_of_before(
    store: Served, bucket: str, tmp_path: Path
) -> None:
    url, file = f"s3://{bucket}/x", tmp_path / "signals"
    put_object(url, b"former")
    file.write_bytes(bytes(PART_BYTES + 1))

    def hang_up(handler: Any) -> None:
        if "partNumber=2" in handler.path:
            handler.rfile.read(1)
            raise ConnectionError

    store.before = hang_up
    with pytest.raises(DiskError, match="could not be written: no connection"):
        put_object(url, str(file))
    assert fetched(url) == (b"former", fetched(url)[1])  # type: ignore[index]
    assert store.keys(bucket) == ["x"]


def test_an_object_is_replaced_only_if_it_is_the_known_one(store: Served, bucket: str) -> None:
    url = f"s3://{bucket}/state"
    first = put_over(url, b"1", None)
    with pytest.raises(BusyError, match="another run has replaced it"):
        put_over(url, b"other", None)
    second = put_over(url, b"2", first)
    with pytest.raises(BusyError, match="another run has replaced it"):
        put_over(url, b"3", first)
    assert fetched(url) == (b"2", second)
    remove_objects([url])
    with pytest.raises((BusyError, FileNotFoundError)):
        put_over(url, b"3", second)
    assert fetched(url) is None


def test_an_object_counts_as_put_although_the_answer_is_lost(store: Served, bucket: str) -> None:
    url = f"s3://{bucket}/state"
    first = put_over(url, b"1", None)
    left = [1, 1, 1, 1, 1]

    def hang_up(handler: Any) -> None:
        if left.pop():
            raise ConnectionError

    store.after = hang_up
    put_over(url, b"2", first)
    store.after = lambda handler: None
    assert fetched(url) is not None
    assert fetched(url)[0] == b"2"  # type: ignore[index]


def test_staged_objects_are_copied_to_their_places_as_often_as_a_run_is_killed(
    store: Served, bucket: str
) -> None:
    hidden = f"s3://{bucket}/out/.rollsignal-1"
    targets = [(f"d={day}", f"s3://{bucket}/out/d={day}/signals.csv") for day in range(12)]
    for name, _ in targets:
        put_object(f"{hidden}/{name}", name.encode())
    asked: list[str] = []

    def fail(handler: Any) -> None:
        asked.append(handler.path)
        if len(asked) > 5:
            raise ConnectionError

    store.before = fail
    with pytest.raises(DiskError):
        place(hidden, targets)
    store.quiet()
    assert is_staged(hidden)
    place(hidden, targets)
    unstage(hidden)
    assert not is_staged(hidden)
    place(hidden, targets)
    assert {url: facts.size for url, facts in objects_below(f"s3://{bucket}/out").items()} == {
        url: len(name) for name, url in targets
    }


def test_a_bucket_that_is_missing_and_keys_that_are_wrong_are_named(
    store: Served, bucket: str
) -> None:
    for act in (put_object, lambda url, _: fetched(url)):
        with pytest.raises(OutputError, match="there is no such bucket"):
            act("s3://nowhere-at-all/x", b"")
    assert head_object(f"s3://{bucket}/nothing") is None
    secret, os.environ["AWS_SECRET_ACCESS_KEY"] = os.environ["AWS_SECRET_ACCESS_KEY"], "another"
    try:
        with pytest.raises(OutputError) as caught:
            put_object(f"s3://{bucket}/x", b"")
    finally:
        os.environ["AWS_SECRET_ACCESS_KEY"] = secret
    assert "access is denied" in str(caught.value)
    assert "AWS_SECRET_ACCESS_KEY" in str(caught.value)
    assert "AKID" not in str(caught.value)


def test_results_come_in_their_order_and_an_error_ends_the_rest() -> None:
    assert all_at_once(lambda number: number * number, range(50)) == [n * n for n in range(50)]
    assert all_at_once(str, []) == []
    called: list[int] = []

    def act(number: int) -> None:
        called.append(number)
        raise ValueError(number)

    with pytest.raises(ValueError, match=r"^\d+$"):
        all_at_once(act, range(1000))
    assert len(called) <= AT_ONCE
