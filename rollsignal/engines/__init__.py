"""This package decides who calls reader and kernel, and where."""
