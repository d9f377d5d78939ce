"""This package reads timestamps exactly, and refuses to guess what they mean."""
