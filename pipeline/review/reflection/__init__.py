"""Thinking about a tape: the interviewer first, then kind feedback, then a page that sums it up."""
