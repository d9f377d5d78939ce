"""This module cuts large files into splits, which are read one by one, in any order.

A text is cut at line ends, a columnar file between rows. What cannot be cut is one split: a small,
compressed or remote file, a pipe, and a file that is read from its end to its beginning.

The first split of a file that raises an error, in the order of the bars, decides: a `JobError` is
that of the whole file, and after a `ReadWholeError` the whole file must be read, as one split. What
comes from the splits behind it does not count.
"""

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from itertools import repeat
from typing import NamedTuple

from rollsignal.config.settings import JobConfig
from rollsignal.core.reader import Reader
from rollsignal.engines.inputs import (
    Inputs,
    Opening,
    frame_reader_of,
    reader_of,
    text_reader_of,
)
from rollsignal.errors import JobError
from rollsignal.files.find import Input
from rollsignal.files.formats import COLUMNAR, Format
from rollsignal.readers.opening import OpenedFile
from rollsignal.readers.parts import ReadWholeError as ReadWholeError  # noqa: PLC0414  # handed on
from rollsignal.readers.parts import RowPart, TextPart

CUT_ROWS = 1 << 20
"""A multiple of the rows of a batch, and of most row groups."""

_UTF8 = ("utf-8", "utf-8-sig")


class Split(NamedTuple):
    """A piece of a file: offsets of a text, or rows of a columnar file.

    number: which piece of the file it is, from 0 on. end: None for the end of the file.
    """

    file: Input
    number: int = 0
    begin: int = 0
    end: int | None = None

    @property
    def is_whole(self) -> bool:
        """Return whether it is the whole file."""
        return not self.begin and self.end is None


def splits_of(
    files: Sequence[Input], config: JobConfig, format: Format | None, bytes_each: int
) -> list[Split]:
    """Cut files into splits of about so many bytes each; splits and files are in the same order.

    A file that cannot be read is one split, whose reader raises the error.
    """
    splits: list[Split] = []
    for file in files:
        count = file.size // bytes_each if file.size and may_be_cut(config) else 1
        cuts = _cuts(file, config, format, count) if count > 1 else []
        begins, ends = (0, *cuts), (*cuts, None)
        splits += map(Split, repeat(file), range(len(begins)), begins, ends)
    return splits


def may_be_cut(config: JobConfig) -> bool:
    """Return whether files may be cut: not to be turned round, nor where the end shows a bar."""
    return not config.is_newest_first and config.table.footer == "error"


def _cuts(file: Input, config: JobConfig, format: Format | None, count: int) -> list[int]:
    """Return where the second split and those after it begin."""
    try:
        with closing(OpenedFile(file, format, table=config.table)) as opened:
            if opened.format in COLUMNAR:
                return row_cuts(file.path, opened.format, count)
            return text_cuts(opened, count)
    except JobError:
        return []


def text_cuts(opened: OpenedFile, count: int) -> list[int]:
    """Return the offsets where the splits of a text begin, without the first one.

    A JSON document cannot be cut: what a piece of it is depends on all the text before.
    """
    size, begin = opened.input.size or 0, opened.end_of_beginning
    is_plain = not opened.compression and opened.blocks.encoding in _UTF8
    is_plain = is_plain and opened.format != "json"
    if not (is_plain and opened.beginning.endswith(b"\n")):
        return []
    return opened.blocks.cuts([size * number // count for number in range(1, count)], begin)


def row_cuts(path: str, format: Format, count: int, step: int = CUT_ROWS) -> list[int]:
    """Return the rows with which the splits of a columnar file begin, without the first one.

    step: the number of rows of which they are multiples. A whole file is read in batches of such
    ranges too, so that of several bad rows each reading meets the same one first.
    """
    from rollsignal.readers.row_counts import rows_by_footer

    rows = rows_by_footer(path, format)
    cuts = (round(rows * number / count / step) * step for number in range(1, count))
    return [cut for cut in dict.fromkeys(cuts) if 0 < cut < rows]


def bundled(splits: Sequence[Split], bytes_each: int) -> list[list[Split]]:
    """Put neighbouring small files together, up to so many bytes; all other splits stay alone."""
    bundles: list[list[Split]] = []
    # Not even an empty file joins a split that stays alone.
    room = -1
    for split in splits:
        size = split.file.size if split.is_whole else None
        if size is None or size > room:
            bundles.append([])
            room = -1 if size is None else bytes_each
        bundles[-1].append(split)
        room -= size or 0
    return bundles


def opened_each(splits: Sequence[Split], config: JobConfig, format: Format | None) -> Opening:
    """Yield the file of each split of a bundle, with what opens it; small ones are read at once."""
    if len(splits) > 1:
        files = [split.file for split in splits]
        yield from Inputs(files, config, format).fast().each(files)
    else:
        yield from ((split.file, opened_split(split, config, format)) for split in splits)


@contextmanager
def opened_split(
    split: Split, config: JobConfig, format: Format | None, first_row: int | None = None
) -> Iterator[Reader]:
    """Open a split; raises `JobError` if its file is not a table with the columns that are read.

    first_row: the number of the line or row before the split, 0 for the first. Without it, messages
    about a text may name wrong lines. The reader's `batches` may raise `ReadWholeError`.
    """
    with closing(OpenedFile(split.file, format, table=config.table)) as opened:
        yield part_of(opened, split, config, first_row or 0)


def part_of(opened: OpenedFile, split: Split, config: JobConfig, first_row: int) -> Reader:
    """Make the reader of a split of a file that is open."""
    if split.is_whole:
        return reader_of(opened, config, 0)
    if opened.format in COLUMNAR:
        return RowPart(frame_reader_of(opened, config), split.begin, split.end)
    reader = text_reader_of(opened, config, 0)
    return TextPart(reader, opened, split.begin, split.end, first_row)


def lines_passed(reader: Reader) -> int:
    """Return how many lines of a split of a text have been read; 0 for any other reader."""
    return reader.passed if isinstance(reader, TextPart) else 0
