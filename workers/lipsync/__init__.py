"""Mouth, voice and pose to pictures: a portrait that speaks."""
