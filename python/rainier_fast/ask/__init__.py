"""What is asked for: a collective with its options, groups of chips, schedules."""
