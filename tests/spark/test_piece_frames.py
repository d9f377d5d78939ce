"""Rows of a partition, cut into frames of one piece each, without a session of Spark."""

from collections.abc import Sequence

import pyarrow as pa
import pytest

from rollsignal.engines.spark.piece_frames import frames_by_piece
from rollsignal.errors import DiskError


def pieces_of(*batches: Sequence[tuple[int, int | None]]) -> list[tuple[int, list[object]]]:
    """Return the pieces of rows of a code and a value, each with the values of its bars."""
    made = [
        pa.RecordBatch.from_pydict({"value": [row[1] for row in rows], "code": codes_of(rows)})
        for rows in batches
    ]
    pieces = frames_by_piece(iter(made), ["value"], lambda: DiskError("unsorted"))
    return [
        (number, [each for frame in frames for each in frame["value"]]) for number, frames in pieces
    ]


def codes_of(rows: Sequence[tuple[int, int | None]]) -> pa.Array:
    return pa.array([code for code, _ in rows], pa.int32())


def test_pieces_are_announced_before_all_bars() -> None:
    rows = [(4, None), (2, None), (3, 1), (3, 2), (5, 3)]
    assert pieces_of(rows[:3], rows[3:]) == [(1, [1, 2]), (2, [3])]


def test_a_bar_without_a_value_may_come_before_what_announces_a_piece() -> None:
    assert pieces_of([(3, None), (4, None), (2, None), (3, 1)]) == [(1, [None, 1]), (2, [])]


def test_a_piece_that_has_lost_its_bars_is_there() -> None:
    assert pieces_of([(0, None), (2, None), (4, None), (3, 7)]) == [(1, [7]), (0, []), (2, [])]


@pytest.mark.parametrize("codes", [[3, 1], [1, 3, 1], [5, 4, 3]])
def test_bars_of_a_piece_after_those_of_a_later_one_are_a_failure(codes: list[int]) -> None:
    with pytest.raises(DiskError, match="unsorted"):
        pieces_of([(code, 1) for code in codes])
