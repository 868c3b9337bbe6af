"""The commands of `python -m albert_lib`: a module each, with add_arguments and run."""
