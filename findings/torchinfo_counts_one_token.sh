#!/usr/bin/env bash
# torchinfo 1.8.0 counts a linear layer's multiplications once a sequence, not once a token.
#
# Guess before running: total_mult_adds of a transformer grows with the length of the sequence, and
# for 32 tokens is near the 1.6 million that other counters (thop, fvcore, ptflops, PyTorch's own
# FlopCounterMode halved) find for this one-layer ALBERT.
# Seen: 57,920 for 1 token and for 32, which is the number of parameters. The layer that is applied
# six times is counted six times (its repetitions are marked "recursive"), so depth is right and
# length is not: whoever compares models by this figure compares parameters times depth.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install -q torch==2.13.0 transformers==5.23.0 torchinfo==1.8.0
"$folder/env/bin/python" - <<'PYTHON'
import torch
import torchinfo
import transformers
from torch.utils.flop_counter import FlopCounterMode


def albert(layers):
    config = transformers.AlbertConfig(
        vocab_size=100, embedding_size=16, hidden_size=64, num_hidden_layers=layers,
        num_attention_heads=4, intermediate_size=256, max_position_embeddings=64,
    )
    return transformers.AlbertModel(config).eval()


seen = {}
for layers, tokens in ((1, 1), (1, 32), (6, 32)):
    ids = torch.arange(tokens)[None] + 5
    with FlopCounterMode(display=False) as counter:
        albert(layers)(ids)
    counted = torchinfo.summary(albert(layers), input_data=ids, verbose=0).total_mult_adds
    seen[layers, tokens] = (counted, counter.get_total_flops() // 2)
    print(f"{layers} layers, {tokens} tokens: torchinfo {counted}, PyTorch {seen[layers, tokens][1]}")
assert seen[1, 1][0] == seen[1, 32][0] == 57_920, "the length counts now"
assert seen[6, 32][0] == 307_840, "repetitions are counted otherwise now"
assert seen[1, 32][1] > 20 * seen[1, 32][0]
print("torchinfo", torchinfo.__version__, "still counts every sequence as one token")
PYTHON
