"""This package reads timestamps exactly, and never guesses what they mean."""
