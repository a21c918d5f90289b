"""Replays the alert rules over the past: what would have fired, and how good that is."""
