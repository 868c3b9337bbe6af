#!/usr/bin/env bash
# tokenizers 0.23.3: the unigram trainer gives the same pieces other ids in every process.
#
# Guess before running: training twice on the same text gives the same vocabulary, ids included, as
# sentencepiece does, at the latest with one thread.
# Seen: four processes, four assignments of ids (the set of pieces is the same each time), with
# RAYON_NUM_THREADS=1 too. A model trained with one of them can't use another, and a build that is
# to be reproduced must store the tokenizer, not the text that it was made from.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install -q tokenizers==0.23.3
cat >"$folder/train.py" <<'PYTHON'
import hashlib
import random

from tokenizers import Tokenizer, models, pre_tokenizers, trainers

random.seed(0)
syllables = [a + b for a in "bcdfghklmnprst" for b in "aeiou"]
words = ["".join(random.choices(syllables, k=random.randint(1, 4))) for _ in range(3000)]
weights = [1 / (rank + 1) for rank in range(3000)]
text = [" ".join(random.choices(words, weights=weights, k=12)) for _ in range(4000)]
tokenizer = Tokenizer(models.Unigram())
tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
trainer = trainers.UnigramTrainer(
    vocab_size=800, show_progress=False, special_tokens=["<unk>"], unk_token="<unk>"
)
tokenizer.train_from_iterator(text, trainer)
vocabulary = tokenizer.get_vocab()
for what in (sorted(vocabulary), sorted(vocabulary.items())):  # pieces; pieces with ids
    print(hashlib.sha256(repr(what).encode()).hexdigest()[:12], end=" ")
PYTHON
for _ in 1 2 3 4; do
  RAYON_NUM_THREADS=1 "$folder/env/bin/python" "$folder/train.py" >>"$folder/seen"
  echo >>"$folder/seen"
done
echo "pieces       pieces with ids"
cat "$folder/seen"
pieces=$(cut -d' ' -f1 "$folder/seen" | sort -u | wc -l)
ids=$(cut -d' ' -f2 "$folder/seen" | sort -u | wc -l)
[ "$pieces" = 1 ] && [ "$ids" -gt 1 ] || { echo "changed: $pieces sets, $ids orders"; exit 1; }
echo "tokenizers 0.23.3: one set of pieces, $ids assignments of ids in 4 processes"
