"""A group's meetings: who does what, whose tape it is, and how the time goes."""
