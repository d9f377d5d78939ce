"""This module names the formats of inputs and their compressions, and tells them apart."""

import re
from typing import Literal, get_args

Format = Literal["csv", "ndjson", "parquet", "arrow"]
FORMATS: tuple[Format, ...] = get_args(Format)
_SUFFIXES = ".csv .tsv .txt .tab .ndjson .jsonl .parquet .pq .arrow .feather .ipc"
SUFFIXES = frozenset(f"{_SUFFIXES} .gz .bz2 .xz .zst .zip".split())

HEAD_BYTES = 8
COMPRESSIONS = {
    b"\x1f\x8b": "gzip",
    b"BZh": "bzip2",
    b"\xfd7zXZ\x00": "xz",
    b"\x28\xb5\x2f\xfd": "zstd",
    b"PK\x03\x04": "zip",
}
COLUMNAR: dict[Format, bytes] = {"parquet": b"PAR1", "arrow": b"ARROW1"}
# No header begins like an object, or like an array of objects, which is none but says so.
_JSON = re.compile(r'[ \t\n]*(?:\{[ \t\n]*(?:["}]|$)|\[[ \t\n]*(?:[{\[]|$))')
_NDJSON_NAME = re.compile(r"\.(?:ndjson|jsonl)(?:\.(?:gz|bz2|xz|zst|zip))?$", re.IGNORECASE)


def compression_of(head: bytes) -> str:
    """Tell how a file is compressed by its first bytes, "" if it is not."""
    return next((kind for magic, kind in COMPRESSIONS.items() if head.startswith(magic)), "")


def columnar_format(head: bytes) -> Format | None:
    """Tell Parquet or Arrow IPC by a file's first bytes; None for anything else."""
    return next((form for form, magic in COLUMNAR.items() if head.startswith(magic)), None)


def text_format(beginning: str, path: str, wanted: Format | None) -> Format:
    """Name a text's format: told by how it begins, by what is wanted, by its name, else CSV."""
    if _JSON.match(beginning):
        return "ndjson"
    if wanted and wanted not in COLUMNAR:
        return wanted
    return "ndjson" if _NDJSON_NAME.search(path) else "csv"
