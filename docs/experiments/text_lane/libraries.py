"""What libraries give for the same column; each returns the sum of the ticks, or of the doubles."""

from collections.abc import Callable


def polars_sum(path: str) -> object:
    """Scan as doubles and add up: the floor that the bench measures."""
    import polars as pl

    return pl.scan_csv(path).select(pl.col("close").sum()).collect(engine="streaming").item()


def polars_decimal(path: str) -> object:
    """Scan as decimals of two places."""
    import polars as pl

    table = pl.scan_csv(path, schema_overrides={"close": pl.Decimal(18, 2)})
    return table.select(pl.col("close").sum()).collect(engine="streaming").item()


def polars_text(path: str) -> object:
    """Scan as text, and turn the text into decimals."""
    import polars as pl

    close = pl.col("close").str.to_decimal(scale=2)
    table = pl.scan_csv(path, schema_overrides={"close": pl.String})
    return table.select(close.sum()).collect(engine="streaming").item()


def duckdb_decimal(path: str) -> object:
    """Read as decimals of two places, and only this column."""
    import duckdb

    duckdb.sql("set enable_progress_bar = false")
    query = f"select sum(close) from read_csv('{path}', types={{'close': 'DECIMAL(18, 2)'}})"
    return duckdb.sql(query).fetchall()


def pyarrow_decimal(path: str) -> object:
    """Read as decimals of two places, and only this column."""
    import pyarrow as pa
    import pyarrow.compute as pc
    from pyarrow import csv

    options = csv.ConvertOptions(
        column_types={"close": pa.decimal128(18, 2)}, include_columns=["close"]
    )
    table = csv.open_csv(path, convert_options=options)
    return sum(pc.sum(batch["close"]).as_py() for batch in table)


LIBRARIES: dict[str, Callable[[str], object]] = {
    "polars, doubles (the bench's floor)": polars_sum,
    "polars, Decimal": polars_decimal,
    "polars, text to Decimal": polars_text,
    "DuckDB, DECIMAL": duckdb_decimal,
    "pyarrow, decimal128": pyarrow_decimal,
}
