#!/usr/bin/env bash
# latex2mathml 3.81.1 and docutils 0.22.4 show the backslash of an escaped sign within \text.
#
# Guess before running: \text{max\_ngram} is drawn as max_ngram, as LaTeX sets it, where an
# underscore in a text has to be escaped; docutils' converter at least, which knows \_ in mathematics.
# Seen: both write <mtext>max\_ngram</mtext>, so that a reader sees the backslash; the same with
# \% \# and \&, the signs that LaTeX gives no choice about. Outside of \text both draw them right.
# Neither warns. A page with names of programs in its formulas has to unescape them itself.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install -q latex2mathml==3.81.1 docutils==0.22.4
"$folder/env/bin/python" - <<'PYTHON'
import html
import importlib.metadata
import re

from docutils.utils.math.latex2mathml import tex2mathml
from latex2mathml.converter import convert

for name, converter in (("latex2mathml", convert), ("docutils", tex2mathml)):
    print(name, importlib.metadata.version(name))
    for sign in "_%#&":
        drawn = html.unescape(converter(rf"\text{{max\{sign}n}}"))
        (words,) = re.findall("<mtext>(.*?)</mtext>", drawn)
        outside = re.sub(r"<[^>]*>|\s", "", html.unescape(converter(rf"a \{sign} b")))
        print(f"  \\text{{max\\{sign}n}} is drawn as {words}, a \\{sign} b as {outside}")
        assert words == rf"max\{sign}n", f"{name} unescapes {sign} now"
        assert outside == f"a{sign}b", outside
print("both still show the backslash in words")
PYTHON
