"""The lane in C: compile lane.c with the system's compiler, and call it."""

import importlib.util
import os
import subprocess
import sysconfig
from pathlib import Path
from typing import Any

import numpy as np
from block import PAD, DoubtError, Shape
from numpy.typing import NDArray

HERE = Path(__file__).parent
BUILT = HERE / "build/lane.abi3.so"


def compiled() -> Any:
    """Import the extension, built first if its source is newer."""
    source = HERE / "lane.c"
    if not BUILT.exists() or BUILT.stat().st_mtime < source.stat().st_mtime:
        BUILT.parent.mkdir(exist_ok=True)
        command = ["cc", "-O3", "-Wall", "-Wextra", "-shared", "-fPIC", "-o", str(BUILT)]
        command += [f"-I{sysconfig.get_path('include')}", str(source)]
        subprocess.run([*command, *os.environ.get("CFLAGS", "").split()], check=True)
    spec = importlib.util.spec_from_file_location("lane", BUILT)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


LANE = compiled()


def ticks(block: NDArray[np.uint8], shape: Shape) -> NDArray[np.int64]:
    """Find the ticks of a padded block of whole lines; raises `DoubtError`."""
    found = np.empty(len(block) // (2 * shape.width) + 1, np.int64)
    rows = LANE.ticks(block, PAD, found, shape.width, shape.column, shape.decimals)
    if rows < 0:
        raise DoubtError("a block of another form")
    return found[:rows]
