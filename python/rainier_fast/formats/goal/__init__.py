"""GOAL text: messages of ranks, computation, and what waits for what."""
