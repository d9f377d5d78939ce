"""This package is the command line: what people type, and what they see on a terminal."""
