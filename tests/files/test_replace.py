"""Facts about files that are opened to be read, and files that are replaced as a whole."""

from __future__ import annotations

import os
import socket
import stat
from pathlib import Path
from threading import Thread

import pytest

from rollsignal.errors import DiskError, InputError, OutputError
from rollsignal.files.open import identity, open_regular
from rollsignal.files.replace import clear_output, replace
from tests.support.disk import files_no_larger_than
from tests.support.shell import snapshot


def make_directory(path: Path) -> None:
    path.mkdir()


def make_pipe(path: Path) -> None:
    os.mkfifo(path)


def make_socket(path: Path) -> None:
    # The full path of a socket may be too long to bind to; its name in the working folder is not.
    here = Path.cwd()
    os.chdir(path.parent)
    try:
        with socket.socket(socket.AF_UNIX) as server:
            server.bind(path.name)
    finally:
        os.chdir(here)


KINDS = {"a directory": make_directory, "a pipe": make_pipe, "a socket": make_socket}


def test_a_regular_file_is_opened_to_read_its_bytes(tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"\r\n\xff")
    with open_regular(str(tmp_path / "f"), "It", InputError) as file:
        assert file.read() == b"\r\n\xff"


def test_a_link_to_a_regular_file_is_followed(tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"here")
    (tmp_path / "link").symlink_to("f")
    with open_regular(str(tmp_path / "link"), "It", InputError) as file:
        assert file.read() == b"here"


def test_a_file_opened_is_not_inherited_by_other_programs(tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"")
    with open_regular(str(tmp_path / "f"), "It", InputError) as file:
        assert not os.get_inheritable(file.fileno())


@pytest.mark.parametrize("name", ["none", "none/f", "f/below"])
def test_a_missing_file_is_reported_with_its_path(tmp_path: Path, name: str) -> None:
    (tmp_path / "f").write_bytes(b"")
    path = str(tmp_path / name)
    with pytest.raises(InputError) as caught:
        open_regular(path, "Input data file", InputError)
    assert caught.value.message == "Input data file not found"
    assert caught.value.detail == f"path: {path}"


def test_a_missing_relative_path_is_reported_with_where_it_was_looked_for() -> None:
    with pytest.raises(InputError) as caught:
        open_regular("no/such\n.csv", "It", InputError)
    assert caught.value.detail == r"path: 'no/such\n.csv', looked for in the working directory"


@pytest.mark.parametrize("kind", ["a directory", "a pipe"])
def test_anything_but_a_regular_file_is_refused_at_once(tmp_path: Path, kind: str) -> None:
    KINDS[kind](tmp_path / "it")
    with pytest.raises(InputError) as caught:
        open_regular(str(tmp_path / "it"), "It", InputError)
    assert caught.value.message == f"It is {kind}, not a regular file"


def test_a_pipe_is_read_to_its_end_where_pipes_are_taken(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    content = b"1\n" * 1_000_000
    writer = Thread(target=(tmp_path / "pipe").write_bytes, args=[content])
    writer.start()
    with open_regular(str(tmp_path / "pipe"), "It", InputError, pipe_seconds=30) as file:
        assert file.read() == content
    writer.join()


def test_the_wait_for_a_pipe_nobody_writes_to_ends(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(InputError, match="It is a pipe, and nothing came out of it within"):
        open_regular(str(tmp_path / "pipe"), "It", InputError, pipe_seconds=0.01)


@pytest.mark.skipif(not Path("/proc/self/mem").exists(), reason="needs Linux's /proc")
def test_a_file_whose_first_read_fails_is_a_disk_error() -> None:
    with pytest.raises(DiskError, match="It cannot be read: Input/output error"):
        open_regular("/proc/self/mem", "It", InputError)


@pytest.mark.parametrize("device", ["/dev/zero", "/dev/null"])
def test_a_device_is_not_read(device: str) -> None:
    with pytest.raises(InputError, match="It is a device, not a regular file"):
        open_regular(device, "It", InputError)


def test_a_file_that_cannot_be_opened_is_reported_with_the_reason(tmp_path: Path) -> None:
    make_socket(tmp_path / "socket")
    (tmp_path / "loop").symlink_to("loop")
    for path in (f"{tmp_path}/socket", f"{tmp_path}/loop", "x" * 5000, "nul\0byte"):
        with pytest.raises(InputError, match=r"It cannot be opened: \S") as caught:
            open_regular(path, "It", InputError)
        assert caught.value.detail.startswith("path: ")


@pytest.mark.parametrize("pipe_seconds", [0, 0.01])
@pytest.mark.parametrize("kind", ["a directory", "a pipe", "a device"])
def test_refusing_a_file_leaves_nothing_open(
    tmp_path: Path, kind: str, pipe_seconds: float
) -> None:
    path = Path("/dev/null") if kind == "a device" else tmp_path / "it"
    if kind != "a device":
        KINDS[kind](path)
    before = sorted(os.listdir("/dev/fd"))
    with pytest.raises(InputError, match=f"It is {kind}"):
        open_regular(str(path), "It", InputError, pipe_seconds=pipe_seconds)
    assert sorted(os.listdir("/dev/fd")) == before


def test_a_file_is_written_in_utf8_with_plain_newlines(tmp_path: Path) -> None:
    replace(str(tmp_path / "f"), "é\n\u2028\r\n")
    assert (tmp_path / "f").read_bytes() == "é\n\u2028\r\n".encode()
    assert os.listdir(tmp_path) == ["f"]


def test_an_earlier_file_is_replaced_and_not_written_into(tmp_path: Path) -> None:
    (tmp_path / "f").write_text("the former text")
    os.link(tmp_path / "f", tmp_path / "who has it open")
    replace(str(tmp_path / "f"), "new")
    assert (tmp_path / "f").read_text() == "new"
    assert (tmp_path / "who has it open").read_text() == "the former text"


def test_missing_folders_are_made(tmp_path: Path) -> None:
    replace(str(tmp_path / "no/such/f"), "text")
    clear_output(str(tmp_path / "other/one/f"))
    assert (tmp_path / "no/such/f").read_text() == "text"
    assert os.listdir(tmp_path / "other/one") == []


def test_a_relative_path_is_in_the_working_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    replace("f", "text")
    assert (tmp_path / "f").read_text() == "text"
    clear_output("f")
    assert os.listdir(tmp_path) == []


def test_a_link_stays_and_what_it_points_to_is_the_output(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    (tmp_path / "link").symlink_to("there/f")
    for text in ("made", "replaced"):
        replace(str(tmp_path / "link"), text)
        assert (tmp_path / "there/f").read_text() == text
        assert os.readlink(tmp_path / "link") == "there/f"
    clear_output(str(tmp_path / "link"))
    assert os.listdir(tmp_path / "there") == []
    assert os.readlink(tmp_path / "link") == "there/f"


def test_a_new_file_may_be_read_by_whom_the_user_lets_read(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        replace(str(tmp_path / "f"), "text")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "f").stat().st_mode) == 0o640


@pytest.mark.parametrize("name", ["m" * 255, "é" * 127, "\udcff" * 255])
def test_a_name_as_long_as_can_be_is_written(tmp_path: Path, name: str) -> None:
    replace(str(tmp_path / name), "text")
    assert os.listdir(tmp_path) == [name]


def test_clearing_an_output_removes_the_earlier_file_and_nothing_else(tmp_path: Path) -> None:
    for name in ("f", "other"):
        (tmp_path / name).write_text(name)
    clear_output(str(tmp_path / "f"))
    clear_output(str(tmp_path / "f"))
    assert os.listdir(tmp_path) == ["other"]


@pytest.mark.parametrize("kind", KINDS)
def test_anything_but_a_regular_file_is_neither_removed_nor_replaced(
    tmp_path: Path, kind: str
) -> None:
    KINDS[kind](tmp_path / "it")
    (tmp_path / "link").symlink_to("it")
    before = snapshot(tmp_path)
    for path in (tmp_path / "it", tmp_path / "link"):
        with pytest.raises(OutputError, match="it exists and is not a regular file"):
            clear_output(str(path))
        with pytest.raises(OutputError, match="it exists and is not a regular file"):
            replace(str(path), "text")
    assert snapshot(tmp_path) == before


def test_a_device_is_neither_removed_nor_replaced(tmp_path: Path) -> None:
    path = tmp_path / "null"
    try:
        os.mknod(path, stat.S_IFCHR | 0o666, os.makedev(1, 3))
    except PermissionError:
        pytest.skip("only root may make a device")
    for act in (clear_output, lambda name: replace(name, "text")):
        with pytest.raises(OutputError, match="it exists and is not a regular file"):
            act(str(path))
        assert stat.S_ISCHR(path.lstat().st_mode)


def test_an_output_that_cannot_be_created_is_reported_with_the_reason_and_the_path(
    tmp_path: Path,
) -> None:
    (tmp_path / "f").write_text("a file")
    (tmp_path / "loop").symlink_to("loop")
    for path in (f"{tmp_path}/f/below", f"{tmp_path}/loop", f"{tmp_path}/{'x' * 300}", "nul\0byte"):
        with pytest.raises(OutputError, match=r"Output cannot be created: \S") as caught:
            replace(path, "text")
        assert caught.value.detail.startswith("path: ")
    assert (tmp_path / "f").read_text() == "a file"


def test_a_write_that_fails_leaves_the_earlier_file_and_no_temporary_file(tmp_path: Path) -> None:
    (tmp_path / "f").write_text("former")
    with files_no_larger_than(10), pytest.raises(DiskError) as caught:
        replace(str(tmp_path / "f"), "more than ten bytes")
    assert caught.value.message == "Output could not be written: File too large"
    assert caught.value.detail == f"path: {tmp_path}/f"
    assert snapshot(tmp_path) == {"f": ((tmp_path / "f").stat().st_mode, b"former")}


def test_the_temporary_file_of_another_process_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / ".f.1.tmp").write_text("theirs")
    replace(str(tmp_path / "f"), "ours")
    assert (tmp_path / ".f.1.tmp").read_text() == "theirs"


def same(left: str, right: str) -> bool:
    return identity(left) == identity(right)


def test_a_temporary_file_of_a_killed_process_with_our_id_does_not_block(tmp_path: Path) -> None:
    # In a container every run may have process id 1.
    (tmp_path / f".f.{os.getpid()}.tmp").write_text("of a killed run")
    replace(str(tmp_path / "f"), "ours")
    assert os.listdir(tmp_path) == ["f"]
    assert (tmp_path / "f").read_text() == "ours"


def test_files_are_the_same_also_through_dots_and_links(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "f").write_text("text")
    (tmp_path / "same text").write_text("text")
    (tmp_path / "link").symlink_to("f")
    (tmp_path / "back").symlink_to(tmp_path)
    os.link(tmp_path / "f", tmp_path / "hard")
    for name in ("f", "./f", "folder/../f", "link", "back/f", "back/back/link", "hard"):
        assert same(f"{tmp_path}/f", f"{tmp_path}/{name}"), name
    for name in ("same text", "folder", "none", "f.csv"):
        assert not same(f"{tmp_path}/f", f"{tmp_path}/{name}"), name


def test_paths_of_files_that_do_not_exist_yet_are_compared(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("none")
    (tmp_path / "back").symlink_to(tmp_path)
    for name in ("none", "./none", "link", "back/none", "new/../none"):
        assert same(f"{tmp_path}/none", f"{tmp_path}/{name}"), name
    assert not same(f"{tmp_path}/none", f"{tmp_path}/other")


def test_urls_that_are_shown_the_same_are_the_same() -> None:
    assert same("s3://b/x", "s3://b/x")
    assert same("https://h/x?sig=a/../y", "https://h/x?sig=b")
    for url in ("s3://b/y", "gs://b/x", "s3://c/x", "s3://b/./x", "s3:/b/x"):
        assert not same("s3://b/x", url), url
