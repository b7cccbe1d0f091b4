"""Sentences become voice: text as it is spoken, clauses, an engine's sound and phones, words and the mouth track."""
