"""Segments: who is in, in words, in SQL, and how many."""
