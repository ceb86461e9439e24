"""The rows of a measured table, beside the fit that takes them: the reader of `formats`."""

from rainier_fast.formats.read import Reading, read

__all__ = ["Reading", "read"]
