"""What a file tells beside its faces: one file for each kind of evidence, each for itself, never one number of all."""
