"""Tapes: who may do what with them, where they lie, and how they end."""
