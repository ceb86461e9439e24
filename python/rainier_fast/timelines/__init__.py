"""What happens when: steps, schedules and programs as spans of time, and as files of traces."""

from rainier_fast.timelines.drawn import Timeline
from rainier_fast.timelines.made import timeline

__all__ = ["Timeline", "timeline"]
