"""What this machine is: its cores, events and caches, and the boards that are known."""
