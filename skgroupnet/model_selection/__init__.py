"""Choosing lam and all else: searches, cross-validation and paths, trained at once."""
