"""This package reads what is asked: the config and the request."""
