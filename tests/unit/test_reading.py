"""`read` knows files by their content, and says what it found or could not."""

from __future__ import annotations

import gzip
from contextlib import suppress
from pathlib import Path

import pytest

import rainier_fast as rf
import tables
from raising import raises


def test_formats_have_a_name_and_a_line() -> None:
    found = rf.formats()
    assert len(set(found["name"].tolist())) == len(found)
    assert all(line and "\n" not in line for line in found["about"].tolist())


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (tables.nccl(tables.times()), "nccl-tests"),
        ("op,size(B),time(us)\nallr,1024,12.5\nallr,2048,13.0\n", "CSV"),
        ('[{"op": "allr", "bytes": 1024, "time_us": 12.5}]', "JSON"),
    ],
)
def test_tables_are_known_and_keep_what_calibrate_needs(text: str, words: str) -> None:
    table = rf.read(text.encode())
    assert words in table.source
    assert table.text == text
    assert str(len(table.rows)) in str(table)


def test_calibrate_takes_what_was_read(tmp_path: Path) -> None:
    text = tables.nccl(tables.times(), ranks=8)
    path = tmp_path / "anything"
    path.write_text(text)
    machine = rf.preset("h100")
    fit, same = rf.calibrate(machine, rf.read(path)), rf.calibrate(machine, text)
    assert fit.parameters == same.parameters


def test_a_table_may_leave_the_operation_to_its_caller() -> None:
    table = rf.read(b"size(B),time(us)\n1024,12.5\n2048,13.0\n")
    assert "still to be said" in str(table)


def test_what_gzip_packed_is_unpacked() -> None:
    text = b"op,size(B),time(us)\nallr,1024,12.5\nallr,2048,13.0\n"
    assert rf.read(gzip.compress(text)).rows == rf.read(text).rows
    with pytest.raises(rf.InvalidArgument, match="whole"):
        rf.read(gzip.compress(text)[:-9])
    with pytest.raises(rf.InvalidArgument, match="unpacked first"):
        rf.read(gzip.compress(bytes(2**24)))


@pytest.mark.parametrize(
    "content", [b"", b"what is this?", bytes(8), b'{"a": 1}', b"[1, 2]", b"<xml/>"]
)
def test_unknown_content_is_refused_with_its_beginning(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "some.file"
    path.write_bytes(content)
    with raises(rf.RainierError, "path"):
        rf.read(path)
    with pytest.raises(rf.InvalidArgument, match=r"some\.file"):
        rf.read(path)


def test_a_path_that_cannot_be_read(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "none", "a\0b"):
        with raises(rf.RainierError, "path"):
            rf.read(path)
    with raises(rf.RainierError, "format"):
        rf.read(b"x", format="nothing")


@pytest.mark.parametrize("content", [b" " * 2**16, b"\t\n" * 2**15, b"x" + b" " * 2**16])
def test_long_spaces_are_passed_over_once(content: bytes) -> None:
    import time

    begun = time.process_time()
    with suppress(rf.RainierError):
        rf.read(content)
    assert time.process_time() - begun < 1.0


@pytest.mark.parametrize(
    ("space", "columns", "row"),
    [
        ("{}", '["x", "int"]', '{"x": 1, "error_type": null, "error": null}'),
        ('{"points": 1}', '["x", "text"]', '{"x": 1, "error_type": null, "error": null}'),
        ('{"points": 1}', '["x", ["int"]]', '{"x": 1, "error_type": null, "error": null}'),
        ('{"points": 1}', "1", '{"x": 1, "error_type": null, "error": null}'),
        ('{"points": 1}', '["x", "int"]', '{"x": [1], "error_type": null, "error": null}'),
        ('{"points": 1}', '["x", "int"]', '{"x": "1", "error_type": null, "error": null}'),
        ('{"points": 1}', '["x", "int"]', "[" * 100_000),
    ],
)
def test_a_sweep_that_its_header_does_not_tell_is_refused(
    space: str, columns: str, row: str
) -> None:
    head = (
        '{"format": "rainier_fast sweep", "version": 1, "function": "f", "axes": ["x"], "space": '
        f'{space}, "columns": [{columns}, ["error_type", "str"], ["error", "str"]]}}'
    )
    with raises(rf.InvalidArgument, "bytes"):
        rf.read(f"{head}\n{row}\n".encode())
