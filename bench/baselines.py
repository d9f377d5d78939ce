"""The other ways to do the job, each a whole program: `python bench/baselines.py NAME PATH`."""

import sys


def pandas_signal(path: str) -> object:
    """Read with pandas, decide with a float rolling mean."""
    import pandas as pd

    close = pd.read_csv(path)["close"]
    return float((close > close.rolling(5).mean()).mean())


def polars_sum_csv(path: str) -> object:
    """Only scan a CSV and add the closes up."""
    import polars as pl

    table = pl.scan_csv(path).select(pl.col("close").sum())
    return table.collect(engine="streaming").item()


def polars_sum_parquet(path: str) -> object:
    """Only scan a Parquet file and add the closes up."""
    import polars as pl

    table = pl.scan_parquet(path).select(pl.col("close").sum())
    return table.collect(engine="streaming").item()


def polars_over_symbol(path: str) -> object:
    """Decide a panel with polars' rolling mean over every symbol."""
    import polars as pl

    mean = pl.col("close").rolling_mean(5).over("symbol")
    table = pl.scan_parquet(path).select((pl.col("close") > mean).sum())
    return table.collect().item()


if __name__ == "__main__":
    print(globals()[sys.argv[1]](sys.argv[2]))
