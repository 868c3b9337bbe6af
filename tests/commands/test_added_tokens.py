"""Tokens added to a tokenizer alone, or another model's tokenizer: told by every command."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import torch
import transformers

from albert_lib import FillMask
from albert_lib.__main__ import main
from albert_lib.errors import InputError
from albert_lib.files import data_folder

SIZES = {
    "embedding_size": 8, "hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2,
    "intermediate_size": 32, "max_position_embeddings": 64,
}  # fmt: skip
SENTENCES = "sentence\tlabel\nthe covid19 man\t0\nthe man\t1\nthe covid19\t0\na man\t1\n"
COMMANDS = {
    "fill-mask": ["fill-mask", "--model", "{model}", "A [MASK]."],
    "features": ["features", "--model", "{model}", "A man."],
    "export": ["export", "--model", "{model}", "--onnx", "{out}"],
    "evaluate": ["evaluate", "{model}"],
    "evaluate a task": ["evaluate", "sst2", "--model", "{model}", "--data", "{data}"],
    "predict": ["predict", "sst2", "--model", "{model}", "--data", "{data}", "--out", "{out}"],
    "finetune": [
        "finetune", "sst2", "--model", "{model}", "--train", "{data}", "--out", "{out}",
        "--steps", "1", "--warmup-steps", "0", "--from-scratch",
    ],
}  # fmt: skip
KINDS = {"sst2": transformers.AlbertForSequenceClassification}


def saved(folder: Path, kind: type[transformers.PreTrainedModel], vocab_size: int) -> Path:
    """A model of transformers' with english-8k's tokenizer and two tokens added to it alone."""
    torch.manual_seed(0)
    kind(transformers.AlbertConfig(vocab_size=vocab_size, **SIZES)).save_pretrained(folder)
    for name in ("spiece.model", "tokenizer_config.json"):
        shutil.copy(data_folder() / "tokenizers" / "english-8k" / name, folder)
    added = {"covid19": 8000, "<town>": 8001}
    (folder / "added_tokens.json").write_text(json.dumps(added))
    return folder


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("rows", [8000, 9999])
def test_a_tokenizer_that_does_not_fit_its_model_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], command: str, rows: int
) -> None:
    kind = next((KINDS[word] for word in COMMANDS[command] if word in KINDS), None)
    model = saved(tmp_path / "model", kind or transformers.AlbertForPreTraining, rows)
    (tmp_path / "data.tsv").write_text(SENTENCES)
    places = {"model": model, "data": tmp_path / "data.tsv", "out": tmp_path / "out"}
    assert main([word.format(**places) for word in COMMANDS[command]]) == 2
    sentence = capsys.readouterr().err.splitlines()[-1]
    if rows == 8000:
        expected = "2 added tokens after the 8000 of the vocabulary, but config.json says"
    else:
        expected = "spiece.model has 8002 tokens but config.json says vocab_size=9999; put the"
    assert f"{model}: {expected}" in sentence
    assert not (tmp_path / "out").exists() or not any((tmp_path / "out").iterdir())


def test_the_remedy_for_forgotten_rows_works(tmp_path: Path) -> None:
    folder = saved(tmp_path, transformers.AlbertForMaskedLM, 8000)
    theirs = transformers.AlbertForMaskedLM.from_pretrained(folder)
    theirs.resize_token_embeddings(8002)
    theirs.save_pretrained(folder)
    fill_mask = FillMask.from_pretrained(folder)
    assert fill_mask.tokenizer.encode("the covid19")[2] == 8000
    assert all(fill["token"] < 8000 for fill in fill_mask("The covid19 [MASK].", top_k=8002))


def test_an_added_token_as_target_is_called_what_it_is(tmp_path: Path) -> None:
    fill_mask = FillMask.from_pretrained(saved(tmp_path, transformers.AlbertForMaskedLM, 8002))
    with pytest.raises(InputError, match="'<town>' is a token of this vocabulary, but no word"):
        fill_mask("A [MASK].", targets=["<town>"])
