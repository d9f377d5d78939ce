"""This module finds which version of itself a table of a catalog has, and has it read as of that.

Delta and Iceberg keep versions. Their tables are read as of the newest one, so both passes see the
same rows whatever is written meanwhile, and the record can name what was read. All else, such as
views, is read as it is.
"""

from typing import TYPE_CHECKING, NamedTuple

from rollsignal.errors import JobError

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession


class _Versioned(NamedTuple):
    """How a kind of table tells its newest version: a query for its name, and a column."""

    query: str
    column: str


# By the provider that Spark names. The newest snapshot of Iceberg need not be the current one.
_VERSIONED = {
    "delta": _Versioned("DESCRIBE HISTORY {} LIMIT 1", "version"),
    "iceberg": _Versioned("SELECT snapshot_id FROM {}.refs WHERE name = 'main'", "snapshot_id"),
}


class TableAsOf(NamedTuple):
    """A table, and the version that is read; None if it is read as it is."""

    rows: "DataFrame"
    version: str | None = None


def as_of_newest(session: "SparkSession", name: str, table: "DataFrame") -> TableAsOf:
    """Return a table as of its newest version, if it keeps versions and its catalog tells them.

    name: that by which the session has found the table, so it is no other text of SQL.
    """
    try:
        return _as_of_newest(session, name, table)
    except JobError:
        # Such as a stop of the run.
        raise
    except Exception:
        # A catalog that does not answer, or cannot read versions, still reads the table.
        return TableAsOf(table)


def _as_of_newest(session: "SparkSession", name: str, table: "DataFrame") -> TableAsOf:
    versioned = _VERSIONED.get(_provider(session, name))
    rows = session.sql(versioned.query.format(name)).collect() if versioned else []
    if versioned is None or len(rows) != 1:
        return TableAsOf(table)
    version = int(rows[0][versioned.column])
    as_of = session.sql(f"SELECT * FROM {name} VERSION AS OF {version}")
    # A client of Spark Connect asks its server only now.
    return TableAsOf(as_of, str(version)) if as_of.columns == table.columns else TableAsOf(table)


def _provider(session: "SparkSession", name: str) -> str:
    """Return what a table is made with, as Spark calls it; "" for a view."""
    facts = session.sql(f"DESCRIBE TABLE EXTENDED {name}").collect()
    provider = [row["data_type"] for row in facts if row["col_name"] == "Provider"]
    return str(provider[-1]).lower() if provider else ""
