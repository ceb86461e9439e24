#!/usr/bin/env bash
# A torus whose last axis has extent 1, such as one slice of a pod.
#
# Expected: 4 x 4 x 1 is 4 x 4: 16 nodes of degree 4, 32 edges. An axis of extent 1 leads nowhere.
# Seen:     networkx.grid_graph joins every node to itself as well: 48 edges, 16 of them loops, degree 6. Its own
#           grid_2d_graph does not (4 x 1: 4 edges), and neither does igraph (32 edges, degree 4).
# Cost:     degrees, bandwidth by edge count and bisections are wrong by half, and nothing is said. The diameter stays
#           right, so that a check of distances does not notice.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check networkx==3.6.1 igraph==1.0.0
"$folder/venv/bin/python" - >"$folder/seen" <<'PYTHON'
import igraph
import networkx

print("networkx", networkx.__version__, "igraph", igraph.__version__)
for shape in ((4, 4), (4, 4, 1)):
    torus = networkx.grid_graph(shape, periodic=True)
    degrees = sorted(set(dict(torus.degree).values()))
    loops = networkx.number_of_selfloops(torus)
    print("grid_graph", shape, torus.number_of_edges(), "edges", loops, "loops", "degree", degrees)
    print("  diameter", networkx.diameter(torus))
    other = igraph.Graph.Lattice(list(shape), circular=True)
    print("Lattice   ", shape, other.ecount(), "edges", sum(other.is_loop()), "loops", "degree", sorted(set(other.degree())))
for shape in ((4, 1), (1, 1)):
    flat = networkx.grid_2d_graph(*shape, periodic=True)
    cube = networkx.grid_graph(shape, periodic=True)
    print("grid_2d_graph", shape, flat.number_of_edges(), "edges; grid_graph", cube.number_of_edges())
PYTHON
diff - "$folder/seen" <<'SEEN'
networkx 3.6.1 igraph 1.0.0
grid_graph (4, 4) 32 edges 0 loops degree [4]
  diameter 4
Lattice    (4, 4) 32 edges 0 loops degree [4]
grid_graph (4, 4, 1) 48 edges 16 loops degree [6]
  diameter 4
Lattice    (4, 4, 1) 32 edges 0 loops degree [4]
grid_2d_graph (4, 1) 4 edges; grid_graph 8
grid_2d_graph (1, 1) 0 edges; grid_graph 1
SEEN
