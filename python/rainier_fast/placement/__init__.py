"""Which rank runs on which chip: what EC2, Slurm and host lists say, and tables for launchers."""
