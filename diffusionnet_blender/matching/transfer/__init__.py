"""Transfer of textures, UV maps, weights, shape keys, joints and attributes along a map.

All of it takes arrays, and the map as `SurfacePoints` of the source, one for each target vertex.
"""
