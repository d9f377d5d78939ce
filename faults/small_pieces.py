"""Run the job with pieces so small that workers share a few bars; run by its path, as run.py is."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from rollsignal.cli.main import main
from rollsignal.engines import pieces

pieces.LEAST_BYTES = 500

if __name__ == "__main__":
    sys.exit(main(["run", *sys.argv[1:]]))
