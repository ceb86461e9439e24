"""A machine that serves by day and trains on what that leaves."""
