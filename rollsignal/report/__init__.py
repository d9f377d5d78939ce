"""This package builds the page of a run: figures to a model, pictures and sections, one file."""
