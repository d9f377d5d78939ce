"""This module holds the hints about symbols of several columns, and every way to follow them."""

from __future__ import annotations

from tests.support.hints import Row, Way
from tests.support.hints_of_bars import BOTH, DAYS, OTHERS, C, each

PAIR = "columns: {symbol: [venue, coin]}\n"
TURNED = Way(BOTH, config="columns: {symbol: [coin, venue]}\n")


def pairs(first: str, second: str, head: str = "venue,coin,date,close") -> str:
    """Write the rows of two series in turn, each with these labels before its date."""
    rows = (
        f"{labels},{day},{close}\n"
        for at, day in enumerate(DAYS)
        for labels, close in ((first, C[at]), (second, OTHERS[at]))
    )
    return head + "\n" + "".join(rows)


PARTS = [
    Row("name that column", each(pairs("X:a,b", "X:b,b")), [TURNED], config=PAIR),
    Row("name columns of the rows under columns, or folders for all", {
        "venue=X/a.csv": pairs("a", "b", "coin,date,close"),
    }, [
        Way(BOTH, config="columns: {symbol: coin}\n"),
        Way(BOTH, {"venue=X/a.csv": None, "venue=X/coin=a/a.csv": "date,close\n" + "".join(
            f"{day},{close}\n" for day, close in zip(DAYS, C, strict=True)),
            "venue=X/coin=b/a.csv": "date,close\n" + "".join(
            f"{day},{close}\n" for day, close in zip(DAYS, OTHERS, strict=True)),
        }, inputs=["venue=X"]),
    ], config=PAIR),
    Row("name each part of the symbol once", each(pairs("X,a", "X,b")), [
        Way(BOTH, config=PAIR),
    ], config="columns: {symbol: [coin, Coin]}\n"),
    Row("name that folder last", {"venue=X:a/coin=b/a.csv": "date,close\n" + "".join(
        f"{day},{close}\n" for day, close in zip(DAYS, C, strict=True))}, [
            Way([C], config=TURNED.config),
    ], config=PAIR),
    Row("has … twice; keep one", each(pairs("X,a", "X,b")), [
        Way(BOTH, config="columns: {symbol: coin}\n"),
        Way(None, config="columns: {symbol: venue}\n"),
    ], config="columns: {symbol: [coin, coin]}\n"),
    Row("is a list of …, not of two or more", each(pairs("X,a", "X,b")), [
        Way(BOTH, config=PAIR),
    ], config="columns: {symbol: [coin]}\n"),
]  # fmt: skip

ROWS = PARTS
