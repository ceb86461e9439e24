"""For tests, ours and users': a slow and obvious oracle, and hypothesis strategies.

Import the modules by name: ``from rainier_fast.testing import oracle, strategies``. The latter
needs hypothesis once a strategy is made.
"""
