"""Measurements, each run by `bin/bench NAME`, and what they have in common. Nothing that runs imports them."""
