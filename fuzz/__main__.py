"""`python -m fuzz --minutes 10` fuzzes each target for its share of the time.

What it finds is written to build/fuzz; put the bytes into tests/fuzz/corpus when it is mended.
"""

import argparse
import os
import subprocess
import sys
from pathlib import Path

from fuzz.targets import TARGETS

ROOT = Path(__file__).parent.parent
CORPUS = ROOT / "tests/fuzz/corpus"
FOUND = ROOT / "build/fuzz"
LONGEST_BYTES, LONGEST_S, MOST_MB = 6_000, 20, 2_000


def main() -> int:
    """Fuzz all targets one after the other, each in a process of its own."""
    parser = argparse.ArgumentParser(prog="python -m fuzz", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--targets", nargs="+", choices=TARGETS, default=list(TARGETS))
    options = parser.parse_args()
    seconds = round(60 * options.minutes / len(options.targets))
    results = {name: _fuzzed(name, seconds) for name in options.targets}
    for name, code in results.items():
        print(f"{name}: {'nothing found' if code == 0 else f'found, see {FOUND}/{name}'}")
    return int(any(results.values()))


def _fuzzed(name: str, seconds: int) -> int:
    """Fuzz a target, beginning with its corpus and with what was learnt before."""
    learnt = FOUND / "learnt" / name
    learnt.mkdir(parents=True, exist_ok=True)
    (FOUND / name).mkdir(exist_ok=True)
    limits = [f"-max_total_time={seconds}", f"-max_len={LONGEST_BYTES}", f"-timeout={LONGEST_S}"]
    limits += [f"-rss_limit_mb={MOST_MB}", "-print_final_stats=1"]
    command = [sys.executable, "-m", "fuzz.driver", name, *limits]
    command += [f"-artifact_prefix={FOUND / name}/", str(learnt), str(CORPUS / name)]
    return subprocess.run(command, cwd=ROOT, env=os.environ, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
