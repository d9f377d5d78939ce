"""Settings of every test: hypothesis keeps no clock, and draws the same examples in CI."""

import os

from hypothesis import settings

settings.register_profile("rollsignal", deadline=None, print_blob=True)
settings.register_profile("ci", settings.get_profile("rollsignal"), derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "rollsignal")
