"""What is in a .keras or .h5 file, read without running it."""
