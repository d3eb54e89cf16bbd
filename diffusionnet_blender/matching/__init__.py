"""Correspondence of two shapes: functional maps, point maps, registration, transfer along a map.

One direction, everywhere: a *map* is `target_to_source`, a point of the source for each vertex of
the target. The *functional map* that goes with it takes functions of the source to functions of
the target (they are pulled back along the map), a (k_target, k_source) matrix C with
Phi_target C = Pi Phi_source, where Pi evaluates at the points of the map.

`spectral` (a mesh with its eigenbasis at unit area) and `points` (points on triangles) are the data
types of all other modules. `functional_map` -> `zoomout` -> `pointwise` lead from features to a
map, `candidates` makes initial maps without features, `by_features` matches features alone;
`orientation`, `confidence`, `pins` and `registration` measure and correct a map; `proxy`,
`closest`, `walk` and `lift` extend it to dense meshes; `transfer` moves data along it.
"""
