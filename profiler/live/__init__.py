"""The continuous classifier: a camera's newest frame, its label, and what that costs, second by second."""
