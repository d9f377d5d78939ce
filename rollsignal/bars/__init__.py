"""This package reads bars: what to open, which dialect it is in, and batches of closes."""
