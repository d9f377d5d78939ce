"""This module names the formats and compressions of inputs, and recognizes them."""

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
# No table begins like an object or an array. The NDJSON reader refuses arrays with a hint.
_JSON = re.compile(r'[ \t\n]*(?:\{[ \t\n]*(?:["}]|$)|\[[ \t\n]*(?:[{\[]|$))')
_NDJSON_NAME = re.compile(r"\.(?:ndjson|jsonl)(?:\.(?:gz|bz2|xz|zst|zip))?$", re.IGNORECASE)


def compression_of(head: bytes) -> str:
    """Return how a file is compressed, by its first bytes; "" if it is not."""
    return next((name for magic, name in COMPRESSIONS.items() if head.startswith(magic)), "")


def columnar_format(head: bytes) -> Format | None:
    """Return Parquet or Arrow IPC by a file's first bytes; None for anything else."""
    return next((name for name, magic in COLUMNAR.items() if head.startswith(magic)), None)


def text_format(beginning: str, path: str, wanted: Format | None) -> Format:
    """Return a text's format: by its beginning, else as wanted, else by its name, else CSV."""
    if _JSON.match(beginning):
        return "ndjson"
    if wanted and wanted not in COLUMNAR:
        return wanted
    return "ndjson" if _NDJSON_NAME.search(path) else "csv"


def numbered(name: str) -> tuple[list[str | int], str]:
    """Return a key to sort names by, which compares the numbers in them as numbers.

    >>> sorted(["part10", "part2", "part1"], key=numbered)
    ['part1', 'part2', 'part10']
    """
    parts: list[str | int] = [*re.split("([0-9]+)", name)]
    parts[1::2] = map(int, parts[1::2])
    return parts, name
