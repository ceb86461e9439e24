"""The rows of a measured table as `calibrate` takes them: the reader of `formats`, beside the fit."""

from rainier_fast.formats.read import Reading, read

__all__ = ["Reading", "read"]
