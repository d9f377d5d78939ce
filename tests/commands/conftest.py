"""Fixtures for runs that fail: their folder, the outputs to expect in the end, a failing disk."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.disk import Disk
from tests.support.folders import Expected, Folder


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> Expected:
    outputs = []
    for kind in (Folder.continued, Folder.recorded):
        folder = Folder(tmp_path_factory.mktemp("whole"))
        assert kind(folder, *folder.inputs) is None
        outputs.append(folder.left())
    return Expected(*outputs)


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Disk:
    return Disk(monkeypatch)
