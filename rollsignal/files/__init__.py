"""This package finds, opens, replaces, locks and compares files, on disk and on the net."""
