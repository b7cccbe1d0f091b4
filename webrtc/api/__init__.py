"""The REST interface under /api/v1: what a program may do with conversations and films."""
