"""What is where: the definition of a machine with its core, and chips and links by number."""
