"""Any masked language model of transformers, asked as the probes ask ALBERT.

A masked model is an encoder and, on its output, a head that scores the vocabulary at every
position. The probes want a few positions of each text, and the head is the dearer half of a small
model. So the encoder's output is cut down to those positions before the head sees it; whether a
model's head works position by position, as all known ones do, is tried when it is loaded.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from albert_lib.errors import CheckpointError, ConfigError
from albert_lib.files import read_json
from albert_lib.hub import resolve_folder
from albert_lib.model import MaskedLMOutput
from albert_lib.model.outputs import AlbertOutput
from albert_lib.probing.transformers_tokenizer import TransformersTokenizer

INSTALL = "pip install -c requirements.lock -e '.[other-models]'"
SAME = 1e-4  # logits of a head on some positions and on all differ by rounding alone


@dataclass(frozen=True)
class ModelLimits:
    """What a probe must know of a model's sizes.

    Example:
        >>> ModelLimits(max_position_embeddings=512, vocab_size=50265, hidden_size=768).hidden_size
        768
    """

    max_position_embeddings: int  # tokens that a text may have, special ones included
    vocab_size: int  # rows of logits, of which the last may belong to no token
    hidden_size: int


class TransformersMaskedLM(nn.Module):
    """A masked language model of transformers, called as AlbertForMaskedLM is.

    Example:
        >>> import torch, transformers
        >>> config = transformers.BertConfig(
        ...     vocab_size=20, hidden_size=8, num_hidden_layers=1, num_attention_heads=2,
        ...     intermediate_size=16, max_position_embeddings=32)
        >>> model = TransformersMaskedLM(transformers.BertForMaskedLM(config))
        >>> ids = torch.tensor([[2, 7, 4, 3], [2, 9, 3, 0]])
        >>> model(ids, (ids > 0).long(), masked_positions=torch.tensor([2, 5])).logits.shape
        torch.Size([2, 20])
        >>> model.config.max_position_embeddings
        32
    """

    def __init__(self, model: Any) -> None:
        """Wrap a model; ConfigError where it is no masked language model."""
        super().__init__()
        _check_kind(model.config)
        self.model = model.eval()
        self.config = ModelLimits(
            longest_text(model), model.get_output_embeddings().weight.shape[0], _width(model)
        )
        self._positions: Int[Tensor, "predictions"] | None = None
        self._cuts = False
        model.base_model.register_forward_hook(self._cut)
        self._cuts = self._head_works_by_position()

    @property
    def encoder(self) -> TransformersEncoder:
        """The model without its head."""
        return TransformersEncoder(self.model.base_model, self.config)

    def forward(
        self,
        input_ids: Int[Tensor, "batch seq"],
        attention_mask: Int[Tensor, "batch seq"],
        masked_positions: Int[Tensor, "predictions"],
    ) -> MaskedLMOutput:
        """The logits at some positions of the flattened batch: (predictions, vocab)."""
        if not self._cuts:
            logits = self.model(input_ids=input_ids, attention_mask=attention_mask).logits
            return MaskedLMOutput(logits=logits.flatten(0, 1)[masked_positions])
        self._positions = masked_positions
        try:
            output = self.model(input_ids=input_ids, attention_mask=attention_mask)
        finally:
            self._positions = None
        return MaskedLMOutput(logits=output.logits[0])

    def _cut(self, module: nn.Module, inputs: Any, output: Any) -> Any:
        """Leave of the encoder's output only the positions that are asked for."""
        if self._positions is not None:
            states = output.last_hidden_state
            output.last_hidden_state = states.flatten(0, 1)[self._positions][None]
        return output

    @torch.no_grad()
    def _head_works_by_position(self) -> bool:
        n_ids = min(self.config.vocab_size, 12)
        ids = torch.arange(n_ids)[-6:].reshape(2, 3)
        mask, positions = torch.ones_like(ids), torch.tensor([1, 3, 5])
        whole = self(ids, mask, positions).logits
        self._cuts = True
        try:
            part = self(ids, mask, positions).logits
        except (RuntimeError, ValueError, IndexError, TypeError):  # a head that wants whole texts
            return False
        return part.shape == whole.shape and torch.allclose(part, whole, rtol=SAME, atol=SAME)


class TransformersEncoder(nn.Module):
    """The encoder of a masked language model, called as AlbertModel is.

    Example:
        >>> import torch, transformers
        >>> config = transformers.BertConfig(
        ...     vocab_size=20, hidden_size=8, num_hidden_layers=1, num_attention_heads=2,
        ...     intermediate_size=16, max_position_embeddings=32)
        >>> encoder = TransformersMaskedLM(transformers.BertForMaskedLM(config)).encoder
        >>> encoder(torch.tensor([[2, 7, 3]])).last_hidden_state.shape
        torch.Size([1, 3, 8])
    """

    def __init__(self, model: Any, limits: ModelLimits) -> None:
        """Wrap a bare model."""
        super().__init__()
        self.model = model
        self.config = limits

    @property
    def word_embeddings(self) -> Float[Tensor, "vocab embedding"]:
        """The table of input embeddings."""
        weight: Tensor = self.model.get_input_embeddings().weight
        return weight

    def forward(
        self,
        input_ids: Int[Tensor, "batch seq"],
        attention_mask: Int[Tensor, "batch seq"] | None = None,
        token_type_ids: Int[Tensor, "batch seq"] | None = None,
    ) -> AlbertOutput:
        """The states of single texts, so that `token_type_ids`, all 0, need not be passed on."""
        output = self.model(input_ids=input_ids, attention_mask=attention_mask)
        return AlbertOutput(
            last_hidden_state=output.last_hidden_state,
            pooler_output=getattr(output, "pooler_output", None),
        )


def load_masked_model(
    name_or_path: str | os.PathLike[str],
) -> tuple[TransformersMaskedLM, TransformersTokenizer]:
    """The model and tokenizer of a folder or hub id, through transformers.

    Weights are read from safetensors alone, and no program of the folder's is run. Raises
    CheckpointError for what transformers cannot open or what has no head for masked tokens,
    ConfigError for a model of another kind, TokenizerError for one without a mask token.

    Example:
        >>> import tempfile, transformers
        >>> pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "the", "mill"]
        >>> vocabulary = {piece: number for number, piece in enumerate(pieces)}
        >>> config = transformers.BertConfig(
        ...     vocab_size=7, hidden_size=8, num_hidden_layers=1, num_attention_heads=2,
        ...     intermediate_size=16, max_position_embeddings=32)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     transformers.BertForMaskedLM(config).save_pretrained(folder)
        ...     _ = transformers.BertTokenizer(vocab=vocabulary).save_pretrained(folder)
        ...     model, tokenizer = load_masked_model(folder)
        >>> model.config.vocab_size, tokenizer.encode("the [MASK]")
        (7, [2, 5, 4, 3])
    """
    transformers = _transformers(str(name_or_path))
    weights = resolve_folder(name_or_path, "weights")
    folder = resolve_folder(name_or_path, "any tokenizer")
    _check_kind(_read(name_or_path, lambda: transformers.AutoConfig.from_pretrained(weights)))
    tokenizer = _read(name_or_path, lambda: transformers.AutoTokenizer.from_pretrained(folder))
    model, report = _read(
        name_or_path,
        lambda: transformers.AutoModelForMaskedLM.from_pretrained(
            weights, use_safetensors=True, output_loading_info=True, dtype=torch.float32
        ),
    )
    if report["missing_keys"]:
        raise CheckpointError(
            f"{name_or_path} has no weights for {min(report['missing_keys'])}, so it cannot score "
            f"masked tokens; use the model as it was pretrained, with its masked-language head."
        )
    return TransformersMaskedLM(model), TransformersTokenizer(tokenizer, str(name_or_path))


def is_albert(name_or_path: str | os.PathLike[str]) -> bool:
    """Whether this library's own code reads a model; also where there is no model to read.

    Example:
        >>> is_albert("albert-mini-en")
        True
    """
    try:
        folder = resolve_folder(name_or_path, "weights")
        config = read_json(folder / "config.json")
    except CheckpointError:
        return True  # whose message then says what is missing
    kind = config.get("model_type", "albert") if isinstance(config, dict) else "albert"
    return bool(kind == "albert")


def longest_text(model: Any) -> int:
    """Tokens that a text may have: fewer than there are position embeddings in RoBERTa's family.

    There, positions are counted from the id of padding on, so that 514 embeddings serve 512.

    Example:
        >>> import transformers
        >>> config = transformers.RobertaConfig(
        ...     vocab_size=20, hidden_size=8, num_hidden_layers=1, num_attention_heads=2,
        ...     intermediate_size=16, max_position_embeddings=34)
        >>> longest_text(transformers.RobertaForMaskedLM(config))
        32
    """
    embeddings = getattr(model.base_model, "embeddings", None)
    table = getattr(embeddings, "position_embeddings", None)
    longest = int(getattr(model.config, "max_position_embeddings", 2**31))
    if isinstance(table, nn.Embedding) and table.padding_idx is not None:
        return longest - table.padding_idx - 1
    return longest


def _width(model: Any) -> int:
    return int(getattr(model.config, "hidden_size", None) or model.config.dim)


def _check_kind(config: Any) -> None:
    """Raise ConfigError for a model that does not fill masks from both sides."""
    from transformers.models.auto.modeling_auto import MODEL_FOR_MASKED_LM_MAPPING_NAMES as KNOWN

    kind = config.model_type
    one_way = getattr(config, "is_decoder", False) or getattr(config, "is_encoder_decoder", False)
    if kind not in KNOWN or one_way:
        raise ConfigError(
            f"A model of type {kind!r} does not fill masks from the text on both sides; use a "
            f"masked language model, such as BERT, RoBERTa or ALBERT."
        )


def _transformers(name: str) -> Any:
    try:
        import transformers
    except ImportError:
        raise CheckpointError(
            f"{name} is no ALBERT, and models of other kinds are read by transformers, which is "
            f"not installed; run `{INSTALL}`."
        ) from None
    return transformers


def _read(name: str | os.PathLike[str], load: Any) -> Any:
    """Load something with transformers; CheckpointError with the first line of its complaint."""
    try:
        return load()
    except Exception as problem:  # of many kinds, from three libraries
        complaint = str(problem).strip().partition("\n")[0] or type(problem).__name__
        raise CheckpointError(
            f"{name} cannot be opened with transformers ({complaint}); check that the folder is "
            f"whole and its weights are safetensors."
        ) from None
