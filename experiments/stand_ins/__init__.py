"""Data sets made here in the layout of those that cannot be had, to run the experiments on."""
