"""This module runs the commands of a page, in a folder of their own with the sample data."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Self

ROOT = Path(__file__).resolve().parent.parent

_COMMANDS = {"python": "", "rollsignal": " -m rollsignal"}


class Sandbox:
    """A folder like that of a newcomer: `run.py`, `data.csv`, `config.yaml`, and the commands.

    It also has the workbooks of `docs/examples`.

    Use it in a `with` statement, whose end removes the folder.
    """

    def __init__(self) -> None:
        """Make the folder, with `rollsignal` and `python` as commands of this checkout."""
        self._home = TemporaryDirectory()
        self.folder = Path(self._home.name, "work")
        commands = Path(self._home.name, "bin")
        for folder in (self.folder, commands):
            folder.mkdir()
        for name in ("data.csv", "config.yaml"):
            shutil.copy(ROOT / name, self.folder)
        for workbook in (ROOT / "docs/examples").iterdir():
            shutil.copy(workbook, self.folder)
        # A link, so that the script finds the package beside the original file.
        (self.folder / "run.py").symlink_to(ROOT / "run.py")
        for name, arguments in _COMMANDS.items():
            script = commands / name
            script.write_text(f'#!/bin/sh\nexec "{sys.executable}"{arguments} "$@"\n')
            script.chmod(0o755)
        path = f"{commands}{os.pathsep}{os.environ['PATH']}"
        self._environment = {**os.environ, "PATH": path, "PYTHONPATH": str(ROOT)}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *problem: object) -> None:
        self._home.cleanup()

    def run(self, block: str) -> "subprocess.CompletedProcess[str]":
        """Run a block of shell commands; the first one that fails ends it."""
        return subprocess.run(
            ["sh", "-ec", block],
            cwd=self.folder,
            env=self._environment,
            capture_output=True,
            encoding="utf-8",
            check=False,
        )
