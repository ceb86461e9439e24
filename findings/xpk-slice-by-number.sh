#!/usr/bin/env bash
# The torus that a slice has when it is asked for by its number alone (v4-3456), from the table of Google's launcher xpk.
#
# Expected: of the shapes that the table has for so many chips the one nearest to a cube, and the same for the same number in
#           every generation.
# Seen:     for 40 of 63 numbers of v4 it is a longer one: v4-3456 is 4 x 4 x 108, and v5p-3456 is 12 x 12 x 12, which the
#           table knows as v4-12x12x12 too. In the later generations it is 21 of 122 and 20 of 125, among the large:
#           tpu7x-14336 is 4 x 8 x 224, tpu7x-16384 is 16 x 16 x 32.
# Cost:     32 links across the middle for 288, a ninth of an exchange of all with all, by the name that was typed; and a model
#           of the slice that takes the cube is off by as much.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check --no-deps xpk==1.16.0 pyyaml==6.0.2
"$folder/venv/bin/python" - >"$folder/seen" 2>/dev/null <<'PYTHON'
from importlib.metadata import version
from math import prod

from xpk.core.system_characteristics import UserFacingNameToSystemCharacteristics as TABLE

print("xpk", version("xpk"))
NAMES = {"v4": ["v4-3456", "v4-6144"], "v5p": ["v5p-3456", "v5p-6144"], "tpu7x": ["tpu7x-14336", "tpu7x-16384"]}


def extents(name):
    return tuple(sorted(map(int, TABLE[name].topology.split("x"))))


def middle(shape):
    return 2 * prod(shape) // shape[-1]  # links across the middle of the longest axis, which is a ring


for family in ("v4", "v5p", "tpu7x"):
    names = [name for name in TABLE if name.startswith(f"{family}-")]
    shapes = {}
    for name in names:
        if name.endswith(TABLE[name].topology):
            shapes.setdefault(prod(extents(name)), set()).add(extents(name))
    numbers = [name for name in names if name.removeprefix(f"{family}-").isdigit()]
    numbers = [name for name in numbers if max(extents(name)) > 4]
    behind = [name for name in numbers if max(map(middle, shapes[prod(extents(name))])) > middle(extents(name))]
    print(family, len(behind), "of", len(numbers), "numbers have a wider shape than they get")
    for name in NAMES[family]:
        shape = extents(name)
        best = max(shapes[prod(shape)], key=lambda other: (middle(other), other))
        print(name, shape, middle(shape), "links across; the table has", best, middle(best))
PYTHON
diff - "$folder/seen" <<'SEEN'
xpk 1.16.0
v4 40 of 63 numbers have a wider shape than they get
v4-3456 (4, 4, 108) 32 links across; the table has (12, 12, 12) 288
v4-6144 (4, 4, 192) 32 links across; the table has (12, 16, 16) 384
v5p 21 of 122 numbers have a wider shape than they get
v5p-3456 (12, 12, 12) 288 links across; the table has (12, 12, 12) 288
v5p-6144 (12, 16, 16) 384 links across; the table has (12, 16, 16) 384
tpu7x 20 of 125 numbers have a wider shape than they get
tpu7x-14336 (4, 8, 224) 64 links across; the table has (16, 16, 28) 512
tpu7x-16384 (16, 16, 32) 512 links across; the table has (16, 16, 32) 512
SEEN
