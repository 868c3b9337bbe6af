#!/usr/bin/env bash
# transformers 5.23.0: XLNet's beams of answers are laid out by end, and read as if by start.
#
# Guess before running: `XLNetForQuestionAnswering` is the head of Google's XLNet and of ALBERT's SQuAD
# 2.0, in which the ends of the first start come first in `end_top_index`; but its source takes the
# best ends over dimension 1 of (batch, seq, starts), so here they should be number 0, 5, 10, …
# Seen: so it is. The library's own example reads them the other way (`i * end_n_top + j` in
# examples/pytorch/question-answering/utils_qa.py) and pairs each start with ends of the others; only
# the pairs (i, i) are right. Not guessed, seen in the source beside it:
# - `start_top_log_probs` are probabilities, and the example adds them as if they were logarithms;
# - in training, answerability is computed from the state of the right start instead of the state
#   expected under the start's probabilities. That start is [CLS] just where there is no answer, so
#   the label is in the input, and what is learned from it is not there when predicting.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install -q transformers==5.23.0 torch==2.13.0
"$folder/env/bin/python" - <<'PYTHON'
import torch
from transformers import XLNetConfig, XLNetForQuestionAnswering

torch.manual_seed(0)
sizes = {"vocab_size": 50, "d_model": 32, "n_layer": 1, "n_head": 2, "d_inner": 32}
config = XLNetConfig(**sizes, start_n_top=3, end_n_top=3, initializer_range=0.4)
model = XLNetForQuestionAnswering(config).eval()
ids = torch.randint(0, 50, (1, 12))
with torch.no_grad():
    output, states = model(ids), model.transformer(ids)[0]
    starts = output.start_top_index[0]
    given = [
        model.end_logits(states, start_positions=start[None]).softmax(-1).topk(3).indices[0]
        for start in starts
    ]
by_start = torch.stack(given)
found = output.end_top_index[0].view(3, 3)
print("the best ends of each start:", by_start.tolist())
print("end_top_index, as it is read:", found.tolist())
assert torch.equal(found.T, by_start) and not torch.equal(found, by_start), "no longer transposed"
assert output.start_top_log_probs.min() > 0, "now logarithms"

read = []
model.answer_class.register_forward_pre_hook(
    lambda part, args, given: read.append(given), with_kwargs=True
)
labels = {"start_positions": torch.tensor([4]), "end_positions": torch.tensor([5])}
first = torch.tensor([0])
model(ids, **labels, is_impossible=torch.tensor([0.0]), cls_index=first)
assert torch.equal(read[-1]["start_positions"], labels["start_positions"]), "no longer the label"
print("transformers 5.23.0 still transposes beams and trains answerability on the right start")
PYTHON
