"""The coach's and members' pages: whether the group's coding drifts, and which codes to discuss."""
