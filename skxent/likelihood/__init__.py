"""The engine: sum-reduced cross-entropy of a linear model, and its minimiser."""
