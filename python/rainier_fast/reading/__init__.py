"""Files of other programs: known by their content, read into objects."""

from rainier_fast.reading.reader import formats, read

__all__ = ["formats", "read"]
