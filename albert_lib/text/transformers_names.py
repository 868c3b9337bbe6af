"""Attributes and arguments that only transformers' tokenizers have, and what to type instead."""

from __future__ import annotations

from collections.abc import Iterable

from albert_lib.errors import InputError, TokenizerError


class MissingAttributeError(TokenizerError, AttributeError):
    """An attribute of transformers' tokenizers that ours does not have."""


ATTRIBUTES = {
    "encode_plus": "call the tokenizer itself: tokenizer(text, pair)",
    "batch_encode_plus": "call the tokenizer itself: tokenizer(texts, pairs)",
    "prepare_for_model": "call the tokenizer itself: tokenizer(text, pair, max_length=…)",
    "build_inputs_with_special_tokens": "use tokenizer.encode(text, pair)",
    "create_token_type_ids_from_sequences": "use tokenizer(text, pair).token_type_ids",
    "get_special_tokens_mask": "use tokenizer.is_special[ids]",
    "pad": "call the tokenizer with padding=True, or use albert_lib.text.batch.make_batch",
    "vocab": "use tokenizer.get_vocab()",
    "sp_model": "use tokenizer.vocabulary, or tokenizer.model for the bytes of spiece.model",
    "is_fast": "there is one implementation, SentencePiece's",
    "backend_tokenizer": "there is one implementation, SentencePiece's",
    "add_tokens": "the vocabulary is fixed; train one with AlbertTokenizer.train",
    "add_special_tokens": "the special tokens are fixed: tokenizer.special_tokens_map",
    "train_new_from_iterator": "use AlbertTokenizer.train(texts, vocab_size)",
    "save_vocabulary": "use tokenizer.save_pretrained(folder)",
    "push_to_hub": "use tokenizer.save_pretrained(folder) and huggingface_hub's upload_folder",
    "apply_chat_template": "ALBERT is no chat model: it has no template",
    "bos_token": "use tokenizer.cls_token",
    "bos_token_id": "use tokenizer.cls_token_id",
    "eos_token": "use tokenizer.sep_token",
    "eos_token_id": "use tokenizer.sep_token_id",
    "name_or_path": "it is not stored; note the name you loaded it by",
}

ARGUMENTS = {
    "text": "pass it as the first argument",
    "text_pair": "pass it as the second argument, or as pairs=",
    "text_target": "ALBERT has no decoder, so there is no target text",
    "stride": "split the text yourself with tokenizer.encode_with_offsets(text)",
    "return_overflowing_tokens": "split the text yourself with encode_with_offsets(text)",
    "return_offsets_mapping": "use tokenizer.encode_with_offsets(text)",
    "return_special_tokens_mask": "use tokenizer.is_special[batch.input_ids]",
    "return_length": "use batch.attention_mask.sum(dim=1)",
    "is_split_into_words": "join the words with spaces",
    "pad_to_multiple_of": "pass the length as pad_to=",
    "padding_side": "padding is always on the right",
    "split_special_tokens": "pass it to AlbertTokenizer.from_pretrained",
    "clean_up_tokenization_spaces": "leave it out: decoding adds no spaces",
    "verbose": "leave it out: nothing is logged",
}


def missing_attribute(name: str) -> AttributeError:
    """The error for an attribute that a tokenizer does not have.

    Example:
        >>> print(missing_attribute("encode_plus"))
        AlbertTokenizer has no encode_plus: call the tokenizer itself: tokenizer(text, pair).
    """
    if name in ATTRIBUTES:
        return MissingAttributeError(f"AlbertTokenizer has no {name}: {ATTRIBUTES[name]}.")
    return AttributeError(f"AlbertTokenizer has no {name}.")


def refuse_arguments(names: Iterable[str]) -> None:
    """Raise InputError for arguments that only transformers takes, TypeError for others.

    Example:
        >>> refuse_arguments([])
    """
    for name in names:
        if name in ARGUMENTS:
            raise InputError(f"AlbertTokenizer takes no {name}: {ARGUMENTS[name]}.")
        raise TypeError(f"AlbertTokenizer got an unexpected argument {name!r}.")
