#!/usr/bin/env bash
# The bandwidth of a link as its data sheet writes it: 100 Gb/s, or 32 GT/s for PCIe.
#
# Expected: 100 Gb/s is 12.5 GB/s, or the parser refuses a symbol that it does not know. (b is a barn in pint, so
#           giga-barns were the guess.)
# Seen:     pint reads Gb as one unit, the gilbert of magnetomotive force, and T as the tesla: "100 Gb/s" and "32 GT/s"
#           are quantities without a word, and only a conversion fails. "100 Gbit/s" and "100 Gbps" are right.
#           humanfriendly, where it meets the same text, takes a bit for a byte: 100 Gb are 100 GB, eight times too many.
# Cost:     a table of links with mixed spellings parses to the end. Rates that are only compared with each other look
#           right, and one taken by the second parser is eight times too fast.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check pint==0.25.3 humanfriendly==10.0
"$folder/venv/bin/python" - >"$folder/seen" <<'PYTHON'
from importlib.metadata import version

import humanfriendly
import pint

print("pint", version("pint"), "humanfriendly", version("humanfriendly"))
units = pint.UnitRegistry()
for text in ("100 Gb/s", "100 Gbit/s", "100 Gbps", "12.5 GB/s", "32 GT/s"):
    rate = units(text)
    try:
        print(text, "=", rate.units, "=", rate.to("GB/s"))
    except pint.DimensionalityError:
        print(text, "=", rate.units, "= no rate")
for text in ("100 Gb", "100 GB"):
    print(text, "=", humanfriendly.parse_size(text), "bytes")
PYTHON
diff - "$folder/seen" <<'SEEN'
pint 0.25.3 humanfriendly 10.0
100 Gb/s = gilbert / second = no rate
100 Gbit/s = gigabit / second = 12.5 gigabyte / second
100 Gbps = gigabaud = 12.5 gigabyte / second
12.5 GB/s = gigabyte / second = 12.5 gigabyte / second
32 GT/s = gigatesla / second = no rate
100 Gb = 100000000000 bytes
100 GB = 100000000000 bytes
SEEN
