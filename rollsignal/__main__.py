"""This module lets `python -m rollsignal` be the `rollsignal` command."""

import sys

from rollsignal.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
