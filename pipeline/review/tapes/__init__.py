"""A tape's own pages, and what other pages show of a tape."""
