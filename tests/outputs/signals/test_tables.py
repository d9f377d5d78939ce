"""What polars says of a file of signals is told apart: a damaged file, or a call that failed."""

import polars as pl
import pytest

from rollsignal.errors import DataError, DiskError, JobError
from rollsignal.outputs.signals.tables import guarded


@pytest.mark.parametrize(
    ("said", "kind", "told"),
    [
        ("Input/output error (os error 5)", DiskError, "reading failed: Input/output error"),
        ("Invalid argument (os error 22)", DataError, "not a table of signals: Invalid argument"),
        ("Value too large (os error 75)", DataError, "not a table of signals: Value too large"),
    ],
)
def test_a_place_before_the_file_is_damage_and_a_failing_disk_is_none(
    said: str, kind: type[JobError], told: str
) -> None:
    with pytest.raises(kind, match=f"^signals.parquet: {told}"), guarded("signals.parquet"):
        raise pl.exceptions.ComputeError(said)
