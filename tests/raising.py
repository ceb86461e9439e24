"""What tests ask of an error: its class and the argument that it names; not its wording."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from rainier_fast.errors import RainierError


@contextmanager
def raises(
    kind: type[RainierError], argument: str | None, *things: str
) -> Iterator[pytest.ExceptionInfo[RainierError]]:
    """Expect an error of a class that names an argument; ``it[1]`` is named by ``it``, too.

    None is an error that blames no single argument. `things` are what its message must name
    besides: values, options, chips, links.
    """
    with pytest.raises(kind) as caught:
        yield caught
    named, said = caught.value.argument, str(caught.value)
    if argument is None:
        assert named is None, said
    else:
        assert named is not None, f"no argument is named: {said}"
        assert argument in (named, named.partition("[")[0]), said
    for thing in things:
        assert thing in said, said
