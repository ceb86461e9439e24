"""Sweeps: many points of a space, on one machine or many, into one file that survives a kill."""
