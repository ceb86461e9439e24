"""What is broken, and machines with it."""
