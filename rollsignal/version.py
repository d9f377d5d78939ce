"""This module holds the version of the program, and the time at which it started."""

from time import perf_counter

__version__ = "0.1.0"

# In seconds of `time.perf_counter`, before anything else is imported.
STARTED = perf_counter()
