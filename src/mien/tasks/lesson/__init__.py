"""Lessons: one idea a page, with its picture and its numbers."""
