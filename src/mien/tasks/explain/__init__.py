"""Explanation: what a network sees, on any network of the library."""
