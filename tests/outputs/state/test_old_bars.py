"""Bars of former states go with them, or are left to the next run."""

import os
from pathlib import Path

import pytest

from rollsignal.outputs.state.history import forget_others


def test_bars_of_other_generations_go_and_other_files_stay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = ["s.state.0.bars", "s.state.1.bars", "s.state.2.bars", "s.state.x.bars", "t.0.bars"]
    for name in names:
        (tmp_path / name).touch()
    state = str(tmp_path / "s.state")
    with monkeypatch.context() as patch:
        patch.setattr(os, "listdir", _failing)
        forget_others(state, 1)
    assert sorted(os.listdir(tmp_path)) == names
    forget_others(state, 1)
    assert sorted(os.listdir(tmp_path)) == ["s.state.1.bars", "s.state.x.bars", "t.0.bars"]


def _failing(folder: str) -> list[str]:
    raise PermissionError(13, "Permission denied", folder)
