"""What is moved along a map: textures, UV maps, weights, shape keys and attributes.

All of it takes arrays, and the map as `SurfacePoints` of the source, one for each target vertex.
"""
