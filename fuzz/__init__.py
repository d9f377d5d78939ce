"""`make fuzz`: coverage-guided fuzzing of whatever reads bytes that others have written."""
