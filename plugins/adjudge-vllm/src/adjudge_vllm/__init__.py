"""The vllm backend of adjudge: the engine in the process, and presets of judge models."""
