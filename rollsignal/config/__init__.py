"""This package reads what a user asks for: the config and the request."""
