"""The questions of `quiz`, a file a chapter."""
