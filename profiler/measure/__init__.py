"""Measuring: a sweep, a run of it, a process, and what one model or machine says of itself."""
