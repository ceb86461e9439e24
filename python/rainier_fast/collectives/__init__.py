"""Collectives: who asks for what, on machines, on meshes, in plans and as schedules."""
