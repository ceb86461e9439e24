"""``python -m rainier_fast``: the same program as ``rainier-fast``."""

from __future__ import annotations

import sys

from rainier_fast.cli.program import main

if __name__ == "__main__":
    sys.exit(main())
