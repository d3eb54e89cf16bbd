"""Data of our own in the layouts of data sets that cannot be had here."""
