#!/usr/bin/env bash
# tokenizers 0.23.3: a token that a Replace normalizer made of several characters points at the last.
#
# Guess before running: where two characters become one, as the quotation marks `` and '' become " in
# the normalizer that every ALBERT tokenizer has, the offsets of the token cover both characters.
# Seen: they cover the last of them alone, whatever their number ("..." too); one character that
# becomes three is covered rightly. So an answer that begins with such a mark, cut out of the original
# text by its offsets, lacks the first half of the mark; one that ends before it keeps that half.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install -q tokenizers==0.23.3
"$folder/env/bin/python" - <<'PYTHON'
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers

WORDS = {"<unk>": 0, "he": 1, '"': 2, "went": 3, "…": 4, "...": 5}


def slices(text, old, new):
    """What the offsets of every token cut out of the text."""
    tokenizer = Tokenizer(models.WordLevel(WORDS, unk_token="<unk>"))
    tokenizer.normalizer = normalizers.Replace(old, new)
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    encoded = tokenizer.encode(text)
    return [(token, text[a:b]) for token, (a, b) in zip(encoded.tokens, encoded.offsets)]


SEEN = [
    ("he `` went", "``", '"', [("he", "he"), ('"', "`"), ("went", "went")]),
    ("he '' went", "''", '"', [("he", "he"), ('"', "'"), ("went", "went")]),
    ("he ... went", "...", "…", [("he", "he"), ("…", "."), ("went", "went")]),
    ("he … went", "…", "...", [("he", "he"), ("...", "…"), ("went", "went")]),
]
for text, old, new, seen in SEEN:
    found = slices(text, old, new)
    print(f"{text!r}, {old} to {new}: {found}")
    assert found == seen, "this has changed"
text = "`` went"
start = slices(text, "``", '"')[0][1]
print(f"an answer of the whole text begins with {start!r} instead of '``'")
PYTHON
