#!/usr/bin/env bash
# minicons 0.3.39: "within word" scores of an ALBERT mask a full stop together with the word before.
#
# Guess before running: PLL_metric="within_word_l2r" masks, beside the token that is scored, only
# the tokens of its word that follow; a word of one token before a full stop scores as in "original".
# Seen: an ALBERT's tokenizer cuts words at spaces alone, so its word_ids() put "mill" and "." into
# one word, and "mill" is scored with the full stop masked. (A BERT's tokenizer cuts at punctuation:
# there the full stop stays visible, so scores of the two families answer different questions.)
# minicons of this version asks transformers for batch_encode_plus, which 5 no longer has.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install -q torch==2.13.0 transformers==4.57.6 minicons==0.3.39
"$folder/env/bin/python" - <<'PYTHON'
import torch
import transformers
from minicons import scorer
from tokenizers import Tokenizer, models, pre_tokenizers, processors

pieces = ["<pad>", "<unk>", "[CLS]", "[SEP]", "[MASK]", "▁the", "▁old", "▁mill", "▁bak", "er",
          "▁walks", ".", "▁to"]
inner = Tokenizer(models.Unigram([(piece, -float(i)) for i, piece in enumerate(pieces)], unk_id=1))
inner.pre_tokenizer = pre_tokenizers.Sequence(  # as the published tokenizer.json has it
    [pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace(prepend_scheme="always")]
)
inner.post_processor = processors.TemplateProcessing(
    single="[CLS]:0 $A:0 [SEP]:0", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
)
tokenizer = transformers.AlbertTokenizerFast(tokenizer_object=inner)
torch.manual_seed(0)
model = transformers.AlbertForMaskedLM(
    transformers.AlbertConfig(
        vocab_size=len(pieces), embedding_size=8, hidden_size=16, num_hidden_layers=2,
        num_attention_heads=2, intermediate_size=32, initializer_range=0.5,
    )
).eval()
text = "the old baker walks to the mill."
encoded = tokenizer(text)
words = dict(zip(tokenizer.convert_ids_to_tokens(encoded["input_ids"]), encoded.word_ids()))
print("words:", words)
ids = torch.tensor([encoded["input_ids"]])
place = ids[0].tolist().index(pieces.index("▁mill"))


def score(masked):
    shown = ids.clone()
    shown[0, masked] = tokenizer.mask_token_id
    with torch.no_grad():
        return model(shown).logits[0, place].log_softmax(-1)[ids[0, place]].item()


minicons = scorer.MaskedLMScorer(model, "cpu", tokenizer=tokenizer)
seen = {
    metric: dict(minicons.token_score([text], PLL_metric=metric)[0])["▁mill"]
    for metric in ("original", "within_word_l2r")
}
print("mill:", {name: round(value, 4) for name, value in seen.items()})
assert words["▁mill"] == words["."], "the full stop is a word of its own now"
assert abs(seen["original"] - score([place])) < 1e-4
assert abs(seen["within_word_l2r"] - score([place, place + 1])) < 1e-4
assert abs(seen["within_word_l2r"] - seen["original"]) > 1e-3
print("minicons 0.3.39 still masks the full stop with the word before it")
PYTHON
