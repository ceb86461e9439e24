"""Pages of results: one file each, whole without a network (extra ``report``).

``result.report("x.html")`` writes one; `page` returns its text.
"""

from rainier_fast.report.write import page, write

__all__ = ["page", "write"]
