"""The floor: how well the perfect reader does on the very examples that a model is asked."""
