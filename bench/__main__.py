"""`python -m bench`: the sample job beside the usual pandas script and an empty Python."""

import compileall
import sys
import tempfile
from pathlib import Path

from bench.processes import median_ratio, side_by_side, summary

ROOT = Path(__file__).parent.parent
TARGET = 0.25


def main() -> int:
    """Measure, print medians and the ratio beside its target."""
    compileall.compile_dir(ROOT / "rollsignal", quiet=1)
    repeats = 7 if "--quick" in sys.argv else 21
    with tempfile.TemporaryDirectory() as folder:
        flags = ["--input", str(ROOT / "data.csv"), "--config", str(ROOT / "config.yaml")]
        flags += ["--output", f"{folder}/metrics.json", "--log-file", f"{folder}/run.log"]
        commands = {
            "rollsignal": [sys.executable, str(ROOT / "run.py"), *flags],
            "pandas script": [sys.executable, str(ROOT / "bench/pandas_script.py"), *flags],
            "empty Python": [sys.executable, "-c", "pass"],
        }
        runs = side_by_side(commands, repeats)
    print(f"the sample job, 10,000 rows: medians of {repeats} runs in turn")
    for name, found in runs.items():
        print(summary(name, found))
    ratio = median_ratio(runs["rollsignal"], runs["pandas script"])
    print(f"wall time, rollsignal / pandas script: {ratio:.3f} (target: at most {TARGET})")
    return 0


if __name__ == "__main__":
    sys.exit(main())
