"""Enlarge pictures and videos."""
