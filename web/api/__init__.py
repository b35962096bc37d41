"""The API for other systems, version 1: one door, one description, one form of problems."""
