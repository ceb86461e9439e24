"""What tests ask of an error: its class, and the argument that it names; not its wording."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from rainier_fast.errors import RainierError


@contextmanager
def raises(kind: type[RainierError], argument: str) -> Iterator[pytest.ExceptionInfo[RainierError]]:
    """Expect an error of a class that names an argument; ``it[1]`` is named by ``it``, too."""
    with pytest.raises(kind) as caught:
        yield caught
    named = caught.value.argument
    assert named is not None, f"no argument is named: {caught.value}"
    assert argument in (named, named.partition("[")[0]), str(caught.value)
