"""The pipeline: one folder a stage, in the sound's order; `shell` runs any of them on the bus."""
