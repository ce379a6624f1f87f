"""How a tape enters the home, and how its results do."""
