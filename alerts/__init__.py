"""The old name of python -m warehouse alerts. It goes with the next release."""
