"""`python -m bench` measures rollsignal beside other ways to do the job, and beside lower limits.

It writes docs/performance.md and its picture. `--quick` prints only the targets, from fewer runs,
some of them on fewer rows. `--rehearse` takes a hundredth of the rows, to try out the bench itself.
"""

import argparse
import compileall
import json
import re
import statistics
import subprocess
import sys
import time
from importlib.util import find_spec
from pathlib import Path

from bench import cases, data
from bench.cases import Results
from bench.report import case_table, growth_table, kernel_table, page, target_table
from bench.targets import Kernel, Kernels, Reached, reached, targets

PAGE = data.ROOT / "docs/performance.md"
PART = re.compile(r"(<!-- generated: bench -->\n).*?(<!-- end -->)", re.DOTALL)


def main() -> int:
    """Measure everything, or only what is quick; print the results, and write the page."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--rehearse", action="store_true")
    parser.add_argument("--page", type=Path, default=PAGE, help="where the results go")
    options = parser.parse_args()
    shrink = 100 if options.rehearse else 1
    compileall.compile_dir(data.ROOT / "rollsignal", quiet=1)
    started = time.monotonic()
    results = _cases(cases.QUICK if options.quick else cases.FULL, shrink)
    kernels = _kernels(10_000_000 // shrink, 5 if options.quick else 11)
    size = "1 million" if options.quick else "10 million"
    figures = reached(targets(size), results, kernels)
    for table in (kernel_table(kernels), growth_table(results), target_table(figures)):
        print(table)
    if not options.quick:
        _write(options.page, results, kernels, figures)
    print(f"{(time.monotonic() - started) / 60:.1f} minutes")
    return 0


def _cases(plan: tuple[cases.Case, ...], shrink: int) -> Results:
    results: Results = {}
    for case in plan:
        results[case.kind, case.size] = measured = cases.run(case, shrink)
        print(case_table(measured), flush=True)
    return results


def _kernels(rows: int, repeats: int) -> Kernels:
    """Measure the kernels in a process of their own."""
    command = [sys.executable, "-m", "bench.kernel", str(rows), str(repeats)]
    done = subprocess.run(command, check=True, capture_output=True, cwd=data.ROOT)
    measured = json.loads(done.stdout)
    return {
        name: kernel and Kernel(statistics.median(kernel["seconds"]), kernel["wrong"])
        for name, kernel in measured.items()
    }


def _write(path: Path, results: Results, kernels: Kernels, figures: list[Reached]) -> None:
    """Write the generated part of a page, and its picture where matplotlib is installed."""
    picture = path.with_suffix(".svg")
    if find_spec("matplotlib"):
        from bench.plot import draw

        draw(results, picture)
    content = page(results, kernels, figures, picture.name)
    path.write_text(PART.sub(lambda part: part[1] + content + part[2], path.read_text()))


if __name__ == "__main__":
    sys.exit(main())
