"""Drawing pictures that were not there before."""
