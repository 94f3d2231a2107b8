"""Frames of cameras, video files and network streams."""
