"""A module for each command: `run` does it, given what was parsed, and returns the exit status.

A module is imported when its command is used, so it may import what it likes.
"""
