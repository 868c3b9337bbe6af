"""Applying a model's layers another number of times: a shared layer's weights fit every depth."""

from __future__ import annotations

from torch import nn

from albert_lib.config import AlbertConfig
from albert_lib.errors import ConfigError
from albert_lib.model.albert import AlbertModel
from albert_lib.model.encoder import layer_schedule
from albert_lib.model.weights import PretrainedModel


def with_depth(config: AlbertConfig, num_hidden_layers: int) -> AlbertConfig:
    """The configuration of the same weights, applied `num_hidden_layers` times.

    Raises ConfigError where that takes other weights: layers that share nothing, or only a part,
    have their own. Every group of layers needs at least one application.

    Example:
        >>> from albert_lib.config import AlbertConfig
        >>> from albert_lib.model.depth import with_depth
        >>> with_depth(AlbertConfig(num_hidden_layers=2), 6).num_hidden_layers
        6
        >>> with_depth(AlbertConfig(num_hidden_layers=2, sharing="none"), 6)  # doctest: +ELLIPSIS
        Traceback (most recent call last):
        albert_lib.errors.ConfigError: A model with sharing="none" has the weights of 2 layers; ...
    """
    if config.sharing != "all" and num_hidden_layers != config.num_hidden_layers:
        raise ConfigError(
            f'A model with sharing="{config.sharing}" has the weights of '
            f"{config.num_hidden_layers} layers; only one that shares all of a layer "
            f'(sharing="all") can be applied {num_hidden_layers} times.'
        )
    return config.replace(num_hidden_layers=num_hidden_layers)


def set_num_hidden_layers(model: PretrainedModel, num_hidden_layers: int) -> None:
    """Apply the layers of `model` so many times from now on; its weights stay as they are.

    The configuration follows, so that the model is saved as what it has become. Raises
    ConfigError as `with_depth` does, and then changes nothing.

    Example:
        >>> from albert_lib import AlbertConfig, AlbertModel
        >>> from albert_lib.model.depth import set_num_hidden_layers
        >>> model = AlbertModel(AlbertConfig(hidden_size=24, num_hidden_layers=2, vocab_size=9))
        >>> before = model.num_parameters()
        >>> set_num_hidden_layers(model, 6)
        >>> len(model.encoder.layers), model.num_parameters() == before
        (6, True)
    """
    config = with_depth(model.config, num_hidden_layers)
    encoder = next(part for part in model.modules() if isinstance(part, AlbertModel)).encoder
    layer_of = dict(zip(layer_schedule(model.config), encoder.layers, strict=True))
    encoder.layers = nn.ModuleList(layer_of[weights] for weights in layer_schedule(config))
    for part in model.modules():
        if isinstance(part, PretrainedModel):
            part.config = config
