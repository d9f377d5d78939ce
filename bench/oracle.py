"""The right signals, from the closes as they are written, without any code of rollsignal.

`python -m bench.oracle KIND ROWS SIGNALS` prints how many signals are wrong. SIGNALS is an .npy
file of signals, a .parquet of rollsignal's `--signals`, or a log of a run, whose counts are
compared. Whole cents decide, and a sample is compared with fractions of the text.
"""

import re
import sys
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

from bench import data

if TYPE_CHECKING:
    import numpy as np
    import polars as pl
    from numpy.typing import NDArray

WINDOW = 5
SAMPLED = 2_000
CENTS = r"^[0-9]{1,12}\.[0-9]{2}$"


def sides(closes: "NDArray[np.int64]", window: int) -> "NDArray[np.int8]":
    """Compare each close with the mean of its window: 1 above, 0 equal, -1 below.

    closes: (series, bars) in cents; returns (series, bars - window + 1).
    """
    import numpy as np

    bars = closes.shape[1] - window + 1
    sums = np.zeros((closes.shape[0], bars), np.int64)
    for back in range(window):
        sums += closes[:, back : back + bars]
    return np.sign(window * closes[:, window - 1 :] - sums).astype(np.int8)


def side(texts: Sequence[str]) -> int:
    """Compare the last of a window's closes with their mean, as fractions of the text."""
    closes = [Fraction(text) for text in texts]
    mean = sum(closes, Fraction()) / len(closes)
    return (closes[-1] > mean) - (closes[-1] < mean)


def truth(kind: str, rows: int) -> "NDArray[np.int8]":
    """Return the side of every bar that has a signal, in the order of the rows."""
    texts = closes_text(rows)
    right = sides(cents(texts).reshape(data.series(kind, rows), -1), WINDOW)
    hold_to_definition(right, texts)
    return (right.T if kind == "panel" else right).reshape(-1)


def closes_text(rows: int) -> "pl.Series":
    """Read the closes as they are written."""
    import polars as pl

    text = pl.scan_csv(data.table("csv", rows), infer_schema=False)
    return text.select("close").collect()["close"]


def cents(texts: "pl.Series") -> "NDArray[np.int64]":
    """Read closes in whole cents; raises `ValueError` for a close without two decimals."""
    import polars as pl

    if not texts.str.contains(CENTS).all():
        raise ValueError("the closes are not all written in whole cents")
    return texts.str.replace(".", "", literal=True).cast(pl.Int64).to_numpy()


def hold_to_definition(sides: "NDArray[np.int8]", texts: "pl.Series") -> None:
    """Compare a sample of bars, ties among them, with fractions; raises `RuntimeError`."""
    import numpy as np

    bars = sides.shape[1] + WINDOW - 1
    drawn = np.random.default_rng(42).integers(sides.size, size=SAMPLED)
    ties = np.flatnonzero(sides.reshape(-1) == 0)[:SAMPLED]
    for at in (*drawn.tolist(), *ties.tolist()):
        row, column = divmod(at, sides.shape[1])
        window = texts[row * bars + column : row * bars + column + WINDOW].to_list()
        if side(window) != sides[row, column]:
            raise RuntimeError(f"whole numbers and fractions differ on {window}")


def wrong(path: Path, right: "NDArray[np.int8]") -> int:
    """Count the signals, or the counts, that are not right."""
    import numpy as np

    if path.suffix == ".log":
        counts = re.search(r"signals=(\d+) ones=(\d+) ties=(\d+)", path.read_text())
        assert counts, f"{path} has no counts"
        facts = (len(right), int((right > 0).sum()), int((right == 0).sum()))
        return sum(abs(int(a) - b) for a, b in zip(counts.groups(), facts, strict=True))
    signals = _signals(path)
    if len(signals) != len(right):
        raise RuntimeError(f"{len(signals)} signals, not {len(right)}")
    return int(np.count_nonzero(signals != (right > 0)))


def _signals(path: Path) -> "NDArray[np.bool_]":
    import numpy as np
    import polars as pl

    if path.suffix == ".npy":
        signals: NDArray[np.bool_] = np.load(path)
        return signals
    return pl.read_parquet(path, columns=["signal"])["signal"].drop_nulls().to_numpy() > 0


def main(kind: str, rows: int, path: Path) -> int:
    """Count what is wrong; the right signals are computed once and kept."""
    import numpy as np

    kept = data.FOLDER / f"truth-{kind}-{rows}.npy"
    if not kept.exists():
        np.save(kept, truth(kind, rows))
    return wrong(path, np.load(kept))


if __name__ == "__main__":
    print(main(sys.argv[1], int(sys.argv[2]), Path(sys.argv[3])))
