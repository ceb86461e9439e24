"""Types of number by the names that programs give them: HLO's, StableHLO's, c10's and torch's."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

_NAMES: Final = {
    "bf16": ("bfloat16",),
    "fp16": ("f16", "float16", "half"),
    "fp32": ("f32", "float32", "float"),
    "fp64": ("f64", "float64", "double"),
    "int64": ("s64", "i64", "si64", "long", "long int"),
    "int32": ("s32", "i32", "si32", "int"),
    "int16": ("s16", "i16", "si16", "short", "short int"),
    "int8": ("s8", "i8", "si8", "char", "signed char"),
    "uint64": ("u64", "ui64", "unsigned long"),
    "uint32": ("u32", "ui32", "unsigned int"),
    "uint16": ("u16", "ui16", "unsigned short"),
    "uint8": ("u8", "ui8", "byte", "unsigned char"),
    "bool": ("pred", "i1"),
    "complex64": ("c64", "complexfloat", "c10::complex<float>"),
    "complex128": ("c128", "complexdouble", "c10::complex<double>"),
}
"""Ours, and what means the same once it is in small letters and without ``c10::``."""

_EIGHT_BITS: Final = ("f8", "float8", "fp8")
"""Beginnings of the names of 8-bit floats, which differ in how they split the bits."""

_WIDTHS: Final = {
    "bf16": 2, "fp16": 2, "fp32": 4, "fp64": 8, "fp8": 1, "int64": 8, "int32": 4, "int16": 2,
    "int8": 1, "uint64": 8, "uint32": 4, "uint16": 2, "uint8": 1, "bool": 1, "complex64": 8,
    "complex128": 16,
}  # fmt: skip
_BY_NAME: Final = {word: name for name, words in _NAMES.items() for word in (name, *words)}


@lru_cache(256)
def dtype_named(word: str) -> str:
    """Return our name of a type; one that is not known stays as it is written."""
    plain = word.strip().lower()
    bare = plain.removeprefix("torch.").removeprefix("c10::")
    if bare.startswith(_EIGHT_BITS):
        return "fp8"
    return _BY_NAME.get(plain) or _BY_NAME.get(bare) or word.strip()


def width_of(dtype: str | None) -> int | None:
    """Return the bytes of one number of a type by our name; None where it is not known."""
    return None if dtype is None else _WIDTHS.get(dtype)
