"""Repair and discretization of triangle meshes and point clouds (paper 3).

Order of the modules: `surface` (validated input) -> `repair` -> `loose_parts` (components and
bridges between them) -> `laplacian`, `frames`, `gradient`, `eigenbasis` -> `discretization` (all of
them, one dataclass) -> `signatures`, `integral_invariants`. `prepare` runs all of it, `proxy` and
`outer_skin` make simpler surfaces of dense and nested ones, `cache` keeps results on disk. `edges`
and `factorisation` serve all of them.
"""
