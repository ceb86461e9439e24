"""What serving a transformer takes on a machine."""
