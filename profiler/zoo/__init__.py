"""The model families that this program builds."""
