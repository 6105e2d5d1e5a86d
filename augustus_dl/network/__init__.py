"""Bases to label scores. Knows no coordinates and no files except its checkpoint."""
