"""This package measures rollsignal beside the scripts it replaces, as whole processes."""
