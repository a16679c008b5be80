"""Was this face reshaped or swapped, where, and how did it look before."""
