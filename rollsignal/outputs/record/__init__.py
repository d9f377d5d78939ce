"""This package keeps the record of a run: what was asked, read and found."""
