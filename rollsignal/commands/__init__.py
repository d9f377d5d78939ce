"""This package has one module for the story of every command."""
