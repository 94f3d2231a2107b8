"""What a report is written as: one module a format."""
