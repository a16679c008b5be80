"""Inspection: was a face reshaped or swapped, where, how did it look before, and what else the file tells."""
