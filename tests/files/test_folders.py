"""Temporary folders go, also where a look at one fails once, or a library has broken off."""

import errno
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from rollsignal.files.folders import remove_folder_quietly


@pytest.mark.parametrize("name", ["lstat", "open", "fstat", "scandir", "unlink", "rmdir"])
def test_a_folder_goes_although_a_call_fails_once(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "folder"
    (folder / "ready").mkdir(parents=True)
    (folder / "ready" / "signals").write_text("0\n")
    real: Callable[..., object] = getattr(os, name)
    failed: list[object] = []

    def failing_once(*arguments: object, **options: object) -> object:
        if not failed:
            failed.append(arguments)
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return real(*arguments, **options)

    monkeypatch.setattr(os, name, failing_once)
    remove_folder_quietly(str(folder))
    monkeypatch.undo()
    assert failed
    assert not folder.exists()


def test_of_a_link_only_the_link_goes(tmp_path: Path) -> None:
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept" / "file").touch()
    (tmp_path / "link").symlink_to("kept")
    remove_folder_quietly(str(tmp_path / "link"))
    assert sorted(os.listdir(tmp_path)) == ["kept"]
    assert os.listdir(tmp_path / "kept") == ["file"]
