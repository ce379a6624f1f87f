"""Whether a coder's coding moves, and how that is said."""
