"""This package reads plain text tables as arrays."""
