"""Practice before the first tape: calibration tapes, and skill practice without a recording."""
