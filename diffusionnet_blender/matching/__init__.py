"""From features of two shapes to a map between them, and what is moved along it.

One direction, everywhere: a *map* is `target_to_source`, a point of the source for each vertex of
the target. The *functional map* that goes with it takes functions of the source to functions of
the target (they are pulled back along the map), a (k_target, k_source) matrix C with
Phi_target C = Pi Phi_source, where Pi evaluates at the points of the map.

`spectral` (a mesh with its eigenbasis at unit area) and `points` (points on triangles) are what
all else speaks in. `functional_map` -> `zoomout` -> `pointwise` is the way from features to a
map, `candidates` where no features are known; `orientation`, `confidence`, `pins` and
`registration` judge and correct it; `proxy`, `closest`, `walk` and `lift` carry it to dense
meshes; `transfer` moves things along it.
"""
