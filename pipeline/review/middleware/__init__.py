"""Middleware: the checks that every request and every response passes."""
