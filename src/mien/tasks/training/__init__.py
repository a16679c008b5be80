"""Run any recipe, and search its settings."""
