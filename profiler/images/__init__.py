"""Pools of pictures that models are given, and labelled photos."""
