"""This package writes the signals of a run, a row for every bar, and reads them again."""
