"""Correspondence of two surfaces."""
