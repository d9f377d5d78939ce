"""Files of tables with a log of their own are refused, by the name of the format.

Those of a Delta table on disk are in test_delta.py.
"""

from pathlib import Path

import pytest

from rollsignal.errors import DataError
from rollsignal.files.find import find_inputs
from rollsignal.files.table_logs import refuse_logged_keys

LOGS = {
    "Iceberg": "metadata/v1.metadata.json",
    "Hudi": ".hoodie/hoodie.properties",
}
HOW = {"Delta": "polars.scan_delta", "Iceberg": "polars.scan_iceberg", "Hudi": "Spark"}


def refusal(name: str, root: object) -> str:
    return (
        f"{root}: a table of {name}, of which only the log says which files count"
        f" (write its bars to one file with {HOW[name]}, and read that)"
    )


@pytest.mark.parametrize("name", LOGS)
@pytest.mark.parametrize("file", ["part-0.parquet", "data/symbol=A/part-0.PARQUET", "2024/01/a.pq"])
def test_a_file_of_such_a_table_is_refused_however_it_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, file: str
) -> None:
    table = tmp_path / "lake" / "bars"
    for path in (table / LOGS[name], table / file):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    monkeypatch.chdir(table)
    for given in (str(tmp_path / "lake"), str(table), str(table / file), file, "./**/[pa]*"):
        with pytest.raises(DataError) as caught:
            find_inputs([given])
        assert caught.value.message == refusal(name, table)


def test_a_table_of_text_and_parquet_without_a_log_are_not_refused(tmp_path: Path) -> None:
    for name in ("metadata/notes.json", "data/a.parquet", "logged/_delta_log/0.json"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "logged/notes.csv").touch()
    given = [str(tmp_path / "data/a.parquet"), str(tmp_path / "logged/notes.csv")]
    assert [file.path for file in find_inputs(given)] == given


OF_DELTA = {"Delta": "_delta_log/00000000000000000000.json"}


@pytest.mark.parametrize("name", LOGS | OF_DELTA)
def test_objects_of_such_a_table_are_refused(name: str) -> None:
    keys = [f"lake/bars/{(LOGS | OF_DELTA)[name]}", "lake/bars/day=1/a.parquet", "lake/a.parquet"]
    with pytest.raises(DataError) as caught:
        refuse_logged_keys("s3://bucket", keys[1:], keys)
    assert caught.value.message == refusal(name, "s3://bucket/lake/bars")
    refuse_logged_keys("s3://bucket", keys[2:], keys)
