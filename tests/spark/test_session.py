"""What Spark says is passed on in one line."""

from __future__ import annotations

import pytest

from rollsignal.engines.spark.session import first_line

IN_PYTHON = """
An error occurred while calling o1.collectToPython.
: [PYTHON_EXCEPTION] Thrown from the Python worker: Traceback (most recent call last):
  File "carrier.py", line 51, in carry
    import pyarrow
ModuleNotFoundError: No module named 'pyarrow'
 SQLSTATE: 38000
"""


@pytest.mark.parametrize(
    ("told", "line"),
    [
        ("one\ntwo", "one"),
        ("An error occurred while calling o1.x.\n: java.lang.E: why\n\tat x", "java.lang.E: why"),
        (IN_PYTHON, "ModuleNotFoundError: No module named 'pyarrow'"),
        ("", "RuntimeError"),
    ],
)
def test_an_error_of_spark_is_told_in_a_line(told: str, line: str) -> None:
    assert first_line(RuntimeError(told)) == line
