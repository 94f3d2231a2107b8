"""Misses of one inference against cache size."""
