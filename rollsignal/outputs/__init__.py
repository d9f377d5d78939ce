"""This package writes the outputs of a run: metrics, log, summary, signals, record and state."""
