"""The pipeline: one folder a stage, in the sound's order; `shell` runs any of them on the bus."""

import os

# Before anything here imports it: from 1.29 on onnxruntime tells Microsoft what it runs unless this is set.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"
