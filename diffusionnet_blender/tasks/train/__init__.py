"""A model of the user's own from a few labelled meshes."""
