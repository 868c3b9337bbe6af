"""What the notebooks draw, one file a chapter: the figures behind `show` and `explorer`."""
