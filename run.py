"""Run the job: `python run.py --input data.csv --config config.yaml --output metrics.json`."""

import sys

from rollsignal.cli.main import main

if __name__ == "__main__":
    sys.exit(main(["run", *sys.argv[1:]]))
