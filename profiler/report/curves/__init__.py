"""Misses against cache size: what a curve says, and its page."""
