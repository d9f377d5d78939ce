"""This module packs bytes in every way that inputs may be compressed."""

import bz2
import gzip
import io
import lzma
import zipfile
from collections.abc import Callable


def zstd(data: bytes) -> bytes:
    try:
        # It is there from Python 3.14 on.
        from compression import zstd as library  # type: ignore[import-not-found,unused-ignore]
    except ImportError:
        from backports import zstd as library
    # As the zstd command does, and unlike the library's default.
    packed: bytes = library.compress(data, options={library.CompressionParameter.checksum_flag: 1})
    return packed


def zipped(data: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("inner.csv", data)
    return file.getvalue()


PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "bzip2": bz2.compress,
    "xz": lzma.compress,
    "zstd": zstd,
    "zip": zipped,
}
