"""Changes of coordinates: other parameters, and rows, with the same logits."""
