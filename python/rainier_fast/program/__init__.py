"""Collectives of a program as it was written, compiled or recorded, without its machine."""

from rainier_fast.program.collective import OPERATIONS, ProgramCollective
from rainier_fast.program.groups import ProgramGroups
from rainier_fast.program.program import Program

__all__ = ["OPERATIONS", "Program", "ProgramCollective", "ProgramGroups"]
