"""This module reads the sources of the program, in a folder or in an archive."""

import hashlib
import zipfile
from collections.abc import Mapping
from functools import cache
from pathlib import Path

_PACKAGE = Path(__file__).parents[2]


@cache
def sources() -> Mapping[str, bytes]:
    """Return the bytes of each source file by its name in the folder of the package, sorted.

    They are read once, so what is sent to executors and what they are compared with is the same.
    """
    archive = next((folder for folder in _PACKAGE.parents if folder.is_file()), None)
    if archive is None:
        root = _PACKAGE.parent
        files = {str(path.relative_to(root)): path for path in _PACKAGE.rglob("*.py")}
        return {name: files[name].read_bytes() for name in sorted(files)}
    prefix = f"{_PACKAGE.relative_to(archive)}/"
    with zipfile.ZipFile(archive) as packed:
        names = sorted(packed.namelist())
        wanted = (name for name in names if name.startswith(prefix) and name.endswith(".py"))
        return {name: packed.read(name) for name in wanted}


@cache
def code_digest() -> str:
    """Return a digest that any change of a source file changes."""
    digest = hashlib.sha256()
    for name, data in sources().items():
        digest.update(f"{name} {len(data)}\n".encode())
        digest.update(data)
    return digest.hexdigest()[:12]
