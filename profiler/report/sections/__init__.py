"""Sections of a report: tables and sentences of one topic each."""
