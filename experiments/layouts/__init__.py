"""Folders of the data sets as their authors hand them out."""
