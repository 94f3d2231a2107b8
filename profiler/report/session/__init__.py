"""What a report says of a recorded live session, whose runs are windows of its frames."""
