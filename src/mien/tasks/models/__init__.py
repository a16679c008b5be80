"""The networks that are at hand, as a list and as files for other programs."""
