"""This module names the version of the program, and the moment at which it began."""

from time import perf_counter

__version__ = "0.1.0"

# In seconds of `time.perf_counter`, before anything else is imported.
STARTED = perf_counter()
