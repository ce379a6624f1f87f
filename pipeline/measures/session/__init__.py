"""The measures of one tape, from its coded table."""
