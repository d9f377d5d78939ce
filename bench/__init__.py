"""Measure rollsignal beside the scripts it replaces, as whole processes in one run."""
