"""Trains and evaluates the tagger."""
