"""This package keeps what a run leaves to the next one, and all bars that were decided."""
