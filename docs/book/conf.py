"""How Sphinx makes the book; `make book` calls it by way of build.py, which gathers the pages."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))  # for the extensions beside this file
from repository_links import linkcode_resolve as linkcode_resolve

project = "Build ALBERT yourself"
author = "the authors of albert-lib"
language = "en"
html_title = project

extensions = [
    "myst_nb",  # reads the notebooks, and Markdown
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",  # docstrings in Google's style
    "sphinx.ext.linkcode",
    "formulas",
    "repository_links",
]

# The notebooks are stored executed, and nbval holds their outputs: nothing is run here.
nb_execution_mode = "off"
nb_merge_streams = True
myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 4
suppress_warnings = ["myst.header"]  # some pages begin with a heading of the second level

default_role = "literal"  # `name` in a docstring is code
autodoc_typehints_format = "short"
autodoc_member_order = "bysource"
autoclass_content = "both"  # what __init__ says stands below what the class says
autodoc_inherit_docstrings = False  # PyTorch's and Python's say nothing of ours
autodoc_preserve_defaults = True  # as written, not as evaluated
napoleon_use_ivar = True  # attributes are described once, in the class
napoleon_numpy_docstring = False
add_module_names = False
toc_object_entries = False

html_theme = "furo"  # its scripts, styles and fonts are all in the book
html_static_path = [str(Path(__file__).parent / "static")]
html_css_files = ["book.css"]
html_copy_source = False
html_show_sphinx = False
html_show_copyright = False
# A page opened from disk may not read the others, as the extracts below a search's results would.
html_show_search_summary = False
html_last_updated_fmt = None
