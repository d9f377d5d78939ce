"""This package looks at what was decided: traces, differences, past runs and float libraries."""
