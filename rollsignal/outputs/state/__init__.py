"""This package stores what a run passes to the next run, and all bars that were decided."""
