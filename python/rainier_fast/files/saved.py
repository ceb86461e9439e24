"""What saves itself to a file, and is loaded from one."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, ClassVar, Self


class Saved:
    """An object with a file of its own: TOML, YAML or JSON."""

    __slots__ = ()

    _saved_as: ClassVar[str]
    """Its kind, a name of `kinds.KINDS`."""
    _written_as: ClassVar[Mapping[str, str]] = {}
    """Formats of other programs by the name for ``format=``: modules whose `text` writes them."""

    def save(self, path: str | os.PathLike[str], format: str | None = None) -> None:
        """Write it to a file that people and programs read, whole or not at all.

        What is as by default is left out; docs/files.md has the format.

        Parameters
        ----------
        path
            The file; one that is there is replaced.
        format
            ``"toml"``, ``"yaml"`` or ``"json"``; None for what the name ends with.

        Raises
        ------
        InvalidArgument, InvalidType, UnknownName
            If the name does not tell the format, or there is no such format.
        OSError
            If it cannot be written; what was there is still there.

        Examples
        --------
        >>> import tempfile, pathlib
        >>> from rainier_fast import torus
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = pathlib.Path(folder) / "machine.toml"
        ...     torus((4, 4), "50 GB/s").save(path)
        ...     print(path.read_text().splitlines()[1])
        format = "rainier_fast machine"
        """
        from rainier_fast.files import kinds  # only who asks pays for it

        kinds.save(self, self._saved_as, path, format, self._written_as)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Self:
        """Read what `save` or a person wrote, in any of the formats.

        Parameters
        ----------
        path
            The file. Its format is told by what is in it.

        Returns
        -------
        object
            Equal to what was saved, and its answers are the same to the bit.

        Raises
        ------
        InvalidFile
            If something in it is wrong: the message names file, line and key.
        OSError
            If it cannot be read.

        Examples
        --------
        >>> import tempfile, pathlib
        >>> from rainier_fast import Machine, torus
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = pathlib.Path(folder) / "machine.yaml"
        ...     torus((4, 4), "50 GB/s").save(path)
        ...     Machine.load(path) == torus((4, 4), "50 GB/s")
        True
        """
        from rainier_fast.files import kinds

        loaded: Any = kinds.load(path, cls._saved_as)
        return loaded  # type: ignore[no-any-return]


class Told(Saved):
    """What is a dict too: the one that its JSON file has."""

    __slots__ = ()

    def to_dict(self) -> dict[str, Any]:
        """Return it as a dict that JSON takes, as `save` writes it.

        Examples
        --------
        >>> from rainier_fast import preset
        >>> preset("trn2").to_dict()["format"]
        'rainier_fast machine'
        """
        from rainier_fast.files import kinds

        return kinds.told(self, self._saved_as)

    @classmethod
    def from_dict(cls, content: dict[str, Any]) -> Self:
        """Make it of what `to_dict` returned.

        Parameters
        ----------
        content
            The dict, with its header.

        Returns
        -------
        object
            Equal to the one that was told.

        Raises
        ------
        InvalidFile
            If something in it is wrong: the message names the key.

        Examples
        --------
        >>> from rainier_fast import Machine, preset
        >>> Machine.from_dict(preset("trn2").to_dict()) == preset("trn2")
        True
        """
        from rainier_fast.files import kinds

        loaded: Any = kinds.from_dict(content, cls._saved_as)
        return loaded  # type: ignore[no-any-return]
