"""This package decides signals exactly; it reads no file, clock, log or config."""
