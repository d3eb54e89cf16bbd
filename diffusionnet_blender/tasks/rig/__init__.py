"""Rigging: joints of a bare figure, a skeleton of a chosen kind, and its skin weights."""
