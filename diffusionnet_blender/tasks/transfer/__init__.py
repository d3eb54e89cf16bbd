"""Data of one mesh carried along a correspondence to another."""
