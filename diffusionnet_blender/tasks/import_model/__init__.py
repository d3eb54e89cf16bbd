"""Import of a model into the user's library."""
