"""The public measurements, and those nearest to a prediction."""
