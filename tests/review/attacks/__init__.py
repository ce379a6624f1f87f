"""Attacks on a running room, one file each, named after what they would break."""
