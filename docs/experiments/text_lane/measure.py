"""Time each lane on a CSV of the bench, one process each: `python measure.py PATH [REPEATS]`.

`python measure.py PATH 0 NAME THREADS` is one such process: it prints the sum of the ticks.
"""

import importlib
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT))

LANES = {"NumPy on bytes": "with_numpy", "C extension": "with_c", "numba": "with_numba"}


def read(path: str, module: str, threads: int) -> int:
    """Find all ticks, a stretch of the file in each thread, and add them up."""
    from block import Shape, blocks, stretches

    lane, shape = importlib.import_module(module), Shape(width=7, column=4, decimals=2)

    def total(stretch: tuple[int, int]) -> int:
        return sum(int(lane.ticks(block, shape).sum()) for block in blocks(path, *stretch))

    if threads == 1:  # in a thread of its own, the memory of every temporary goes back at once
        return total(*stretches(path, 1))
    with ThreadPoolExecutor(threads) as pool:
        return sum(pool.map(total, stretches(path, threads)))


def main(path: str, repeats: int) -> None:
    """Measure all in turn and print the least of each figure: what else runs here only adds."""
    from libraries import LIBRARIES

    from bench.processes import side_by_side

    plans = [(name, threads) for name in LANES for threads in (1, 2)]
    plans += [(name, 0) for name in LIBRARIES]
    this = [sys.executable, __file__, path, "0"]
    commands = {
        f"{plan[0]}|{plan[1] or 'its own'}": [*this, plan[0], str(plan[1])] for plan in plans
    }
    commands["import numpy|"] = [sys.executable, "-c", "import numpy"]
    side_by_side(commands, 1)
    print("| lane | threads | wall | CPU | peak memory |\n|---|---:|---:|---:|---:|")
    for name, runs in side_by_side(commands, repeats).items():
        wall_s, cpu_s, peak_mb = map(min, zip(*runs, strict=True))
        print(f"|{name}|{wall_s:.2f} s|{cpu_s:.2f} s|{peak_mb:.0f} MB|".replace("|", " | ").strip())


if __name__ == "__main__":
    path, repeats, *plan = sys.argv[1], int(sys.argv[2]) if sys.argv[2:] else 7, *sys.argv[3:]
    if not plan:
        main(path, repeats)
    elif plan[0] in LANES:
        print(read(path, LANES[plan[0]], int(plan[1])))
    else:
        from libraries import LIBRARIES

        print(LIBRARIES[plan[0]](path))
