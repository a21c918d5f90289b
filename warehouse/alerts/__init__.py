"""Tells people of incidents: refreshes what the alerts need, says what fires, and sends it to whom it concerns."""
