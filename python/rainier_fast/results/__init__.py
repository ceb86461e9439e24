"""What a user reads: routes, link loads, results of collectives, tables."""
