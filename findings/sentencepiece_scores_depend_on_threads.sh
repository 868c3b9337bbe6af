#!/usr/bin/env bash
# sentencepiece 0.2.3: the scores of a unigram model depend on the trainer's num_threads.
#
# Guess before running: num_threads decides how long training takes, not what comes out.
# Seen: 1, 2 and 8 threads give the same 800 pieces in the same order and three different sets of
# scores; the same number of threads gives the same scores again, whatever the machine has. Partial
# sums are added up thread by thread. A vocabulary is reproduced only together with that number
# (16 unless it is said).
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install -q sentencepiece==0.2.3
"$folder/env/bin/python" - <<'PYTHON'
import io
import random

import sentencepiece

random.seed(0)
syllables = [a + b for a in "bcdfghklmnprst" for b in "aeiou"]
words = ["".join(random.choices(syllables, k=random.randint(1, 4))) for _ in range(3000)]
weights = [1 / (rank + 1) for rank in range(3000)]
text = [" ".join(random.choices(words, weights=weights, k=12)) for _ in range(4000)]


def train(threads):
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(text), model_writer=model, vocab_size=800, model_type="unigram",
        num_threads=threads, minloglevel=2,
    )
    made = sentencepiece.SentencePieceProcessor(model_proto=model.getvalue())
    ids = range(made.get_piece_size())
    return [made.id_to_piece(i) for i in ids], [made.get_score(i) for i in ids]


models = {threads: train(threads) for threads in (1, 2, 8)}
again = train(8)
apart = {t: max(abs(a - b) for a, b in zip(models[1][1], models[t][1])) for t in (2, 8)}
for threads, distance in apart.items():
    print(f"{threads} threads: scores up to {distance:.1e} from those of one thread")
assert models[1][0] == models[2][0] == models[8][0], "pieces differ now too"
assert models[1][1] != models[2][1] != models[8][1] != models[1][1], "scores agree now"
assert again == models[8]
print("sentencepiece", sentencepiece.__version__, "still adds up thread by thread")
PYTHON
