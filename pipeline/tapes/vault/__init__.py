"""Encrypted files, their keys, and what keeps them whole."""
