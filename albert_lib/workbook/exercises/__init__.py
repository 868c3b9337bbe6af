"""The exercises, a file a chapter; each file's EXERCISES lists its own."""
