"""``python -m rainier_fast.validate``: published figures beside ours, with errors."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from rainier_fast.files.kept import write
from rainier_fast.validation.report import group_table, report


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line."""
    options = _parser().parse_args(arguments)
    started = time.perf_counter()
    text = group_table() + "\n" if options.groups else report()
    took = time.perf_counter() - started
    try:
        if options.check is not None:
            return _check(options.check, text)
        if options.output is not None:
            write(options.output, text)
        else:
            sys.stdout.write(text)
    except OSError as error:
        print(f"rainier_fast.validate: {error}", file=sys.stderr)
        return 2
    # On standard error, because a time is not the same again.
    print(f"calculated in {took:.1f} s", file=sys.stderr)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m rainier_fast.validate",
        description="Print published figures beside ours, errors by group, and what has none.",
    )
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--output", type=Path, metavar="FILE", help="write there, not on the screen")
    where.add_argument("--check", type=Path, metavar="FILE", help="exit with 1 if FILE is stale")
    where.add_argument("--groups", action="store_true", help="print errors by group, no rows")
    return parser


def stale(path: Path, text: str) -> int | None:
    """Return the first line of a file that is not as the text has it; None where all are."""
    # Bytes and not text, so that other line ends are seen.
    old = path.read_bytes().decode("utf-8", errors="replace").splitlines(keepends=True)
    new = text.splitlines(keepends=True)
    if old == new:
        return None
    both = zip(old, new, strict=False)
    return 1 + next(
        (at for at, (one, other) in enumerate(both) if one != other), min(len(old), len(new))
    )


def _check(path: Path, text: str) -> int:
    if (line := stale(path, text)) is None:
        return 0
    print(
        f"rainier_fast.validate: {path} is stale from line {line} on; "
        f"run python -m rainier_fast.validate --output {path}",
        file=sys.stderr,
    )
    return 1


if __name__ == "__main__":
    sys.exit(main())
