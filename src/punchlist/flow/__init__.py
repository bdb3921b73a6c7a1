"""The flow language: YAML text becomes a checked `Flow`, and its expressions become values. Pure."""
