"""This module names the formats and compressions of inputs, and recognizes them."""

import re
from typing import Literal, get_args

Format = Literal["csv", "ndjson", "json", "xlsx", "parquet", "arrow"]
FORMATS: tuple[Format, ...] = get_args(Format)
_SUFFIXES = ".csv .tsv .txt .tab .ndjson .jsonl .xlsx .xlsm .parquet .pq .arrow .feather .ipc"
SUFFIXES = frozenset(f"{_SUFFIXES} .gz .bz2 .xz .zst .zip".split())

# A folder's own metrics, summaries and records end like that too, and are no tables.
NAME_SUFFIXES = SUFFIXES | {".json"}

HEAD_BYTES = 8
COLUMNAR_SUFFIXES = (".parquet", ".pq")
DELTA_LOG = "_delta_log"
# How the files begin that Excel puts beside workbooks that are open.
OPEN_IN_EXCEL = "~$"
CHECKSUM_SUFFIXES = (".checksum", ".md5", ".sha1", ".sha256", ".sha512")
COMPRESSIONS = {
    b"\x1f\x8b": "gzip",
    b"BZh": "bzip2",
    b"\xfd7zXZ\x00": "xz",
    b"\x28\xb5\x2f\xfd": "zstd",
    b"PK\x03\x04": "zip",
}
# Arrow has two forms: a file with a footer, and a stream without one.
ARROW_STREAM = b"\xff\xff\xff\xff"
COLUMNAR: dict[Format, tuple[bytes, ...]] = {
    "parquet": (b"PAR1",),
    "arrow": (b"ARROW1", ARROW_STREAM),
}
_EXPORT = "export it as CSV or Parquet"
_OTHERS = {
    b"\xd0\xcf\x11\xe0": (
        "an Excel workbook in the old form (xls), or with a password",
        "save it as xlsx without a password, or the sheet as CSV",
    ),
    b"\x89HDF": ("an HDF5 file", _EXPORT),
    b"SQLite format 3\0": ("an SQLite database", _EXPORT),
    b"FEA1\0": ("a Feather file of version 1", "write it again as version 2"),
    b"PARE": ("an encrypted Parquet file", "decrypt it"),
    b"Obj\x01": ("an Avro file", _EXPORT),
    b"\x93NUMPY": ("a NumPy array", _EXPORT),
    b"7z\xbc\xaf": ("a 7-Zip archive", "unpack it"),
    b"Rar!\x1a": ("a RAR archive", "unpack it"),
    b"\x04\x22\x4d\x18": ("an LZ4 file", "unpack it, or compress it with gzip or zstd"),
    b"%PDF-": ("a PDF document", _EXPORT),
    b"version https://git-lfs.github.com/": (
        "a Git LFS pointer",
        "git lfs pull fetches the file itself",
    ),
    **{b"\x80%c" % version: ("a pickle", _EXPORT) for version in (2, 3, 4, 5)},
}
_PAGES = (b"<!doctype", b"<html", b"<head", b"<body", b"<table", b"<?xml", b"<!--")
_TAR = slice(257, 262)
_HASH_DIGITS = (32, 40, 56, 64, 96, 128)
_HEX = frozenset(b"0123456789abcdef")
# No table begins like an object or an array.
_JSON = re.compile(r'[ \t\n]*(?:\{[ \t\n]*(?:["}]|$)|\[[ \t\n]*(?:[{\["0-9-]|\][ \t\n]*$|$))')
_NDJSON_NAME = re.compile(r"\.(?:ndjson|jsonl)(?:\.(?:gz|bz2|xz|zst|zip))?$", re.IGNORECASE)


def compression_of(head: bytes) -> str:
    """Return how a file is compressed, by its first bytes; "" if it is not."""
    return next((name for magic, name in COMPRESSIONS.items() if head.startswith(magic)), "")


def other_kind(beginning: bytes) -> tuple[str, str] | None:
    """Return what a file is that is not a table, and what to do about it; None for others.

    beginning: the first bytes of its content; 512 are enough.
    """
    if beginning.startswith(tuple(_OTHERS)):
        return next(kind for magic, kind in _OTHERS.items() if beginning.startswith(magic))
    if beginning[:64].removeprefix(b"\xef\xbb\xbf").lstrip().lower().startswith(_PAGES):
        return "an HTML or XML page", "it may be the error page of a server; get the table itself"
    if beginning[_TAR] == b"ustar":
        return "a tar archive", "unpack it"
    word = beginning[:129].split(maxsplit=1)[:1]
    if word and len(word[0]) in _HASH_DIGITS and _HEX.issuperset(word[0].lower()):
        return "the checksum of a file", "name the file itself"
    if twice := compression_of(beginning):
        return f"a {twice} file inside another compression", "unpack it once"
    return None


def columnar_format(head: bytes) -> Format | None:
    """Return Parquet or Arrow IPC by a file's first bytes; None for anything else."""
    return next((name for name, magic in COLUMNAR.items() if head.startswith(magic)), None)


def is_json(beginning: str) -> bool:
    """Return whether a text begins as JSON: with an object, or an array."""
    return bool(_JSON.match(beginning))


def is_named_ndjson(path: str) -> bool:
    """Return whether a file's name says that it holds one JSON object per line."""
    return bool(_NDJSON_NAME.search(path))


def text_format(beginning: str, path: str, wanted: Format | None) -> Format:
    """Return a text's format: by its beginning, else as wanted, else by its name, else CSV.

    JSON of any kind is "ndjson" here. Whether it is a document shows the text behind its beginning.
    """
    if is_json(beginning):
        return "ndjson"
    if wanted in ("csv", "ndjson", "json"):
        return wanted
    return "ndjson" if is_named_ndjson(path) else "csv"


def numbered(name: str) -> tuple[list[str | int], str]:
    """Return a key to sort names by, which compares the numbers in them as numbers.

    >>> sorted(["part10", "part2", "part1"], key=numbered)
    ['part1', 'part2', 'part10']
    """
    parts: list[str | int] = [*re.split("([0-9]+)", name)]
    parts[1::2] = map(int, parts[1::2])
    return parts, name
