"""This module aligns the columns of a table in a text for people."""

from collections.abc import Sequence


def aligned(rows: Sequence[Sequence[str]], left: int) -> list[str]:
    """Return a line for each row: its first `left` columns to the left, the others to the right.

    >>> aligned([("tool", "wrong"), ("pandas", "8")], left=1)
    ['tool    wrong', 'pandas      8']
    """
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(
            cell.ljust(width) if place < left else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]
