"""The report of a tape: one page, its charts, its numbers, its templates."""
