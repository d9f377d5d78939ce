"""The bytes of objects: those of a file, in whatever order they are read, in bounded memory."""

from __future__ import annotations

import io
import os
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollsignal.errors import DataError, DiskError, InputError
from rollsignal.files import stores
from rollsignal.files.stores import MOST_BYTES, ObjectWatch, open_object
from tests.support.stores import Served, plainly_serving

if TYPE_CHECKING:
    from obstore import ObjectMeta

META: ObjectMeta = {
    "path": "x",
    "last_modified": datetime(2024, 1, 1, tzinfo=UTC),
    "size": 0,
    "e_tag": None,
    "version": None,
}
SIZES = st.integers(0, 60)
READS = st.tuples(st.just("read"), SIZES, st.just(0))
SEEKS = st.tuples(st.just("seek"), SIZES, st.sampled_from([os.SEEK_SET, os.SEEK_CUR]))
BACKWARD = st.tuples(st.just("seek"), SIZES.map(int.__neg__), st.just(os.SEEK_END))


@pytest.fixture(autouse=True)
def bucket(store: Served) -> None:
    (store.root / "bucket").mkdir(exist_ok=True)


@given(st.binary(max_size=50), st.lists(READS | SEEKS | BACKWARD, max_size=9), st.integers(1, 9))
def test_bytes_that_come_in_parts_are_read_and_sought_like_those_of_a_file(
    data: bytes, steps: list[tuple[str, int, int]], part: int
) -> None:
    def fetch(start: int) -> bytes:
        return data[start : start + part]

    file = io.BytesIO(data)
    ours = io.BufferedReader(stores._Bytes(fetch, META, data[:part], len(data)), 4)
    for step, size, whence in steps:
        if step == "read":
            assert ours.read(size) == file.read(size)
        elif file.tell() * (whence == os.SEEK_CUR) + len(data) * (whence == os.SEEK_END) >= -size:
            assert ours.seek(size, whence) == file.seek(size, whence)
        assert ours.tell() == file.tell()
    assert ours.read() == file.read()


def test_a_large_object_is_fetched_in_parts_that_grow_to_a_bound(store: Served) -> None:
    data = os.urandom(3 * MOST_BYTES)
    store.put("bucket/large", data)
    store.asked.clear()
    with open_object("s3://bucket/large") as file:
        assert file.read() == data
    ranges = [wanted.removeprefix("bytes=").split("-") for _, _, wanted in store.asked]
    sizes = [int(last) - int(first) + 1 for first, last in ranges]
    assert sizes == sorted(sizes)
    assert max(sizes) == MOST_BYTES
    assert sizes[0] == stores.FIRST_BYTES


def test_no_more_of_an_object_is_fetched_than_is_read(store: Served) -> None:
    store.put("bucket/large", b"x" * MOST_BYTES)
    store.asked.clear()
    with open_object("s3://bucket/large") as file:
        file.read(9)
    assert [wanted for _, _, wanted in store.asked] == ["bytes=0-65535"]


@pytest.mark.parametrize("size", [0, 1, 65_535, 65_536, 65_537, 200_000])
def test_an_object_of_any_size_is_read_whole_with_parts_and_without(
    store: Served, size: int
) -> None:
    data = os.urandom(size)
    store.put("bucket/bytes", data)
    with plainly_serving(store.root) as plain:
        for base in ("s3:/", store.url, plain):
            with open_object(f"{base}/bucket/bytes") as file:
                assert file.read() == data
                assert file.read() == b""


@pytest.mark.parametrize(
    "key", ["a b", "a%20b", "a+b", "a#b", "a?b=c", "ä", "a*[1]", "a&b=c;d", "a:b"]
)
def test_a_key_is_taken_literally(store: Served, key: str) -> None:
    store.put(f"bucket/{key}", key.encode())
    with open_object(f"s3://bucket/{key}") as file:
        assert file.read() == key.encode()


@pytest.mark.parametrize("key", ["a//b", "./a", "a/../b"])
def test_a_key_that_no_client_can_send_is_refused(key: str) -> None:
    with pytest.raises(InputError, match="Input data file cannot be opened"):
        open_object(f"s3://bucket/{key}")


def test_a_failure_is_an_input_error_at_first_and_a_disk_error_later(store: Served) -> None:
    def fail() -> None:
        raise PermissionError("status code: 403 Forbidden: <Key>AKID</Key>")

    store.put("bucket/x", b"x")
    watch = ObjectWatch("s3://bucket/x")
    with pytest.raises(InputError) as at_first:
        watch.over(fail)
    assert watch.over(lambda: 1) == 1
    with pytest.raises(DiskError) as later:
        watch.over(fail)
    for caught in (at_first, later):
        assert caught.value.message.endswith("access is denied")
        assert "AKID" not in str(caught.value)
        assert caught.value.__suppress_context__


def test_an_object_replaced_by_an_equal_one_has_not_changed(store: Served) -> None:
    store.put("bucket/same", b"x")
    watch = ObjectWatch("s3://bucket/same")
    watch.end()
    store.put("bucket/same", b"y")
    with pytest.raises(DiskError, match="changed while it was read"):
        watch.end()


def test_other_errors_are_left_as_they_are(store: Served) -> None:
    def fail() -> None:
        raise DataError("bad")

    store.put("bucket/x", b"x")
    with pytest.raises(DataError):
        ObjectWatch("s3://bucket/x").over(fail)
