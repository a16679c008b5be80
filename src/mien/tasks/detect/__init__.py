"""Objects in pictures."""
