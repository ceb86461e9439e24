"""Placeholder until the public names are written."""
