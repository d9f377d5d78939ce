"""This package writes what a run leaves: metrics, log, summary, signals, record and state."""
