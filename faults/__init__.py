"""`make faults`: runs are killed, calls fail and the power is cut, at every point of every kind."""
