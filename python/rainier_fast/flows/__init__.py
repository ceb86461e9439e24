"""Traffic flow by flow: loads of links and rates."""
