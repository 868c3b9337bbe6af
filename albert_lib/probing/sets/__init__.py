"""Published probe sets: one module each, with `read` and `score` (notebook 06)."""
