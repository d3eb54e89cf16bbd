"""From a mesh or a point cloud to the matrices the network eats.

Order of the rooms: `surface` (what comes in) -> `repair` -> `parts` (loose parts, bridges) ->
`laplacian`, `frames`, `gradient`, `eigenbasis` -> `discretization` (all of them, one dataclass) ->
`signatures` (HKS, WKS). `cache` keeps discretizations on disk.
"""
