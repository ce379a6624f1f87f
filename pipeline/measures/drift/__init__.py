"""Whether a coder's coding moves, as charts and as sentences."""
