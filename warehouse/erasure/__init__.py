"""Erasing users: what is known of them goes, and it is proven that it is gone."""
