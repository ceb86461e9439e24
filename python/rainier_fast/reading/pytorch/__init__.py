"""What PyTorch writes of its collectives: traces, execution traces, the flight recorder."""
