"""Folders for runs that fail: what they are to leave in the end, and a disk to let them fail."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.disk import Disk
from tests.support.folders import Expected, Folder


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> Expected:
    found = []
    for kind in (Folder.continued, Folder.recorded):
        folder = Folder(tmp_path_factory.mktemp("whole"))
        assert kind(folder, *folder.inputs) is None
        found.append(folder.left())
    return Expected(*found)


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Disk:
    return Disk(monkeypatch)
