"""This package writes what a run leaves behind: metrics and a log."""
