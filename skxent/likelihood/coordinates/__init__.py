"""Changes of coordinates: rows and parameters are transformed, and logits stay the same."""
