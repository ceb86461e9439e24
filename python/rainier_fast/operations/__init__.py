"""Machines over months: what failures leave of the time, what it costs, and what power it takes."""
