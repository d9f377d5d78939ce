"""This package turns files of bars into batches."""
