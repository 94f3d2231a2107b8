"""What a neural network costs the hardware, and why."""

__version__ = "0.1.0"
