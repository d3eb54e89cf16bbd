"""The class of a whole shape (paper 5.1)."""
