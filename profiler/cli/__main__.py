"""`python -m profiler.cli`."""

from profiler.cli import main

main()
