"""Small random models of the families of masked models, each with its own kind of tokenizer."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
import transformers
from tokenizers import AddedToken

from albert_lib.town import Town

SMALL: dict[str, Any] = {
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 48,
    "max_position_embeddings": 64,
    "initializer_range": 0.5,  # wide, so that no two answers are equally likely
}
LONGEST = 64


def _texts() -> list[str]:
    """Sentences with every word that the tests ask about."""
    documents = Town(bias=0.5).documents(60)
    sentences = [sentence for document in documents for sentence in document]
    people = [
        "The man is a nurse.",
        "A woman works as a doctor!",
        "He is late; she isn't.",
        "Nurse and Nurse",
    ]
    return [*sentences, *people * 60]


def _trained(kind: Any, n_pieces: int, *, mask: str, takes_space: bool = True) -> Any:
    """A tokenizer of this kind; <mask> takes the space before it, as in the published ones."""
    tokenizer = kind().train_new_from_iterator(_texts(), n_pieces)
    tokenizer.add_special_tokens({"mask_token": AddedToken(mask, lstrip=takes_space, special=True)})
    return tokenizer


def word_pieces() -> Any:
    """BERT's, which lower-cases."""
    return _trained(transformers.BertTokenizer, 300, mask="[MASK]", takes_space=False)


def cased_word_pieces() -> Any:
    """BERT's for cased models: every word of the texts, and letters to write others with."""
    words = sorted(set(re.findall(r"\w+|[^\w\s]", " ".join(_texts()))))
    letters = sorted({letter for word in words for letter in word})
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    pieces = dict.fromkeys([*special, *words, *letters, *(f"##{letter}" for letter in letters)])
    vocabulary = {piece: number for number, piece in enumerate(pieces)}
    return transformers.BertTokenizer(vocab=vocabulary, do_lower_case=False)


def byte_pieces() -> Any:
    """RoBERTa's."""
    return _trained(transformers.RobertaTokenizer, 500, mask="<mask>")


def bert_byte_pieces() -> Any:
    """DeBERTa's: RoBERTa's pieces between BERT's special tokens."""
    return _trained(transformers.DebertaTokenizer, 500, mask="[MASK]")


def sentence_pieces() -> Any:
    """XLM-R's, for multilingual models."""
    return _trained(transformers.XLMRobertaTokenizer, 300, mask="<mask>")


def bert_sentence_pieces() -> Any:
    """DeBERTa's second and third version."""
    return _trained(transformers.DebertaV2Tokenizer, 300, mask="[MASK]", takes_space=False)


def _of(config: Any, model: Any, **more: Any) -> Callable[[int, int], Any]:
    def make(vocab_size: int, pad: int) -> Any:
        settings = {**SMALL, **more, "vocab_size": vocab_size, "pad_token_id": pad}
        if "Roberta" in config.__name__:  # counts its positions from the padding's id on
            settings["max_position_embeddings"] = LONGEST + pad + 1
        return model(config(**settings))

    return make


T = transformers
ROBERTA = {"type_vocab_size": 1}
RELATIVE = {"relative_attention": True, "pos_att_type": ["p2c", "c2p"], "type_vocab_size": 0}
# ModernBERT's published rows are padded to a multiple of 64; so are these, with six more.
FAMILIES: dict[str, tuple[Callable[[], Any], Callable[[int, int], Any], int]] = {
    "bert": (word_pieces, _of(T.BertConfig, T.BertForMaskedLM), 0),
    "bert-cased": (cased_word_pieces, _of(T.BertConfig, T.BertForMaskedLM), 0),
    "roberta": (byte_pieces, _of(T.RobertaConfig, T.RobertaForMaskedLM, **ROBERTA), 0),
    "xlm-roberta": (
        sentence_pieces,
        _of(T.XLMRobertaConfig, T.XLMRobertaForMaskedLM, **ROBERTA),
        0,
    ),
    "distilbert": (
        word_pieces,
        _of(T.DistilBertConfig, T.DistilBertForMaskedLM, dim=32, n_layers=2, n_heads=2),
        0,
    ),
    "electra": (
        word_pieces,
        _of(T.ElectraConfig, T.ElectraForMaskedLM, embedding_size=16),
        0,
    ),
    "deberta": (bert_byte_pieces, _of(T.DebertaConfig, T.DebertaForMaskedLM, **RELATIVE), 0),
    "deberta-v2": (
        bert_sentence_pieces,
        _of(T.DebertaV2Config, T.DebertaV2ForMaskedLM, **RELATIVE),
        0,
    ),
    "modernbert": (
        bert_byte_pieces,
        _of(T.ModernBertConfig, T.ModernBertForMaskedLM, local_attention=16),
        6,
    ),
}


def write_family(name: str, folder: Path) -> Path:
    """Save a small model of a family with its tokenizer, as transformers saves them."""
    tokenizer_of, model_of, n_more_rows = FAMILIES[name]
    tokenizer = tokenizer_of()
    with torch.random.fork_rng():
        torch.manual_seed(7)
        model = model_of(len(tokenizer) + n_more_rows, tokenizer.pad_token_id)
    with torch.no_grad():  # or a decoder's bias, which starts at zero, would not show
        model.get_output_embeddings().weight += 0.02 * torch.randn_like(
            model.get_output_embeddings().weight
        )
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder
