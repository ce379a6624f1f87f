"""Mutation testing: does a test turn red where a random small change is made to a module?"""
