"""What training an ALBERT costs, by arithmetic alone: operations, memory, traffic.

Nothing is built or run here. The tests compare the formulas with PyTorch's own counter of
operations and with the tensors that autograd really stores for the backward pass.
"""

from __future__ import annotations

from albert_lib.config import AlbertConfig

FLOAT32, BFLOAT16 = 4, 2  # bytes a number
OPTIMIZER_MEANS = 2  # LAMB and AdamW store two running means of every gradient
SOP_CLASSES = 2  # in order, swapped


def applied_layers(config: AlbertConfig) -> int:
    """Number of times that a layer is applied, whatever is shared.

    Example:
        >>> from albert_lib.config import AlbertConfig
        >>> from albert_lib.model.costs import applied_layers
        >>> applied_layers(AlbertConfig(num_hidden_layers=6, inner_group_num=2))
        12
    """
    return config.num_hidden_layers * config.inner_group_num


def training_flops(
    config: AlbertConfig, batch_size: int, length: int, predictions: int
) -> dict[str, int]:
    """Floating-point operations of one training step, by part; matrix products alone.

    `predictions` are the masked tokens of the whole batch: the vocabulary is scored there alone.
    A multiplication and its addition are two operations. The backward pass computes two products
    of the same size for every one of the forward pass: a gradient for each factor.

    Example:
        >>> from albert_lib.config import AlbertConfig
        >>> from albert_lib.model.costs import training_flops
        >>> training_flops(AlbertConfig(), batch_size=1, length=512, predictions=20)["mlm_head"]
        472596480
    """
    tokens = batch_size * length
    narrow, wide, inner = config.embedding_size, config.hidden_size, config.intermediate_size
    layers = applied_layers(config)
    products = {
        "embedding_projection": tokens * narrow * wide if config.has_projection else 0,
        "attention_maps": layers * tokens * 4 * wide * wide,  # query, key, value, output
        "attention_scores": layers * tokens * 2 * length * wide,  # scores, and mixing by them
        "feed_forward": layers * tokens * 2 * wide * inner,
        "mlm_head": predictions * (wide * narrow + narrow * config.vocab_size),
        "sop_head": batch_size * (wide * wide + wide * SOP_CLASSES),  # the pooler, two classes
    }
    return {part: 3 * 2 * count for part, count in products.items()}


def spared_flops(config: AlbertConfig, batch_size: int, length: int, predictions: int) -> int:
    """The part of `training_flops` that a step of this library does not compute.

    After its attention, the last layer works at the predictions and every [CLS] alone: no head
    uses anything else.

    Example:
        >>> from albert_lib.config import AlbertConfig
        >>> from albert_lib.model.costs import spared_flops, training_flops
        >>> config = AlbertConfig()
        >>> whole = sum(training_flops(config, 1, 512, 20).values())
        >>> round(spared_flops(config, 1, 512, 20) / whole, 3)
        0.054
    """
    wide, inner = config.hidden_size, config.intermediate_size
    unseen = batch_size * length - predictions - batch_size
    return 3 * 2 * unseen * (wide * wide + 2 * wide * inner)


def flops_a_token(config: AlbertConfig, length: int = 512, predictions: int = 20) -> float:
    """Operations of training, a token; by default as Google trained: 20 masked tokens of 512.

    Example:
        >>> from albert_lib.config import AlbertConfig
        >>> from albert_lib.model.costs import flops_a_token
        >>> f"{flops_a_token(AlbertConfig.preset('albert-xlarge-v1')):.1e}"
        '7.6e+09'
    """
    return sum(training_flops(config, 1, length, predictions).values()) / length


def parameters(config: AlbertConfig) -> int:
    """Unique parameters of an AlbertForPreTraining.

    Example:
        >>> from albert_lib.config import AlbertConfig
        >>> from albert_lib.model.costs import parameters
        >>> parameters(AlbertConfig())
        11813810
    """
    return config.num_parameters(mlm_head=True, sop_head=True)


def state_bytes(config: AlbertConfig, matrix_bytes: int = FLOAT32) -> dict[str, int]:
    """Bytes that a training process holds whatever the batch: 16 a parameter in float32.

    With `matrix_bytes` of 2 (bfloat16 autocast) every matrix has a copy in bfloat16 beside it.

    Example:
        >>> from albert_lib.config import AlbertConfig
        >>> from albert_lib.model.costs import state_bytes
        >>> sum(state_bytes(AlbertConfig()).values()) == 16 * 11813810
        True
    """
    count = parameters(config)
    return {
        "weights": FLOAT32 * count,
        "gradients": FLOAT32 * count,
        "optimizer": OPTIMIZER_MEANS * FLOAT32 * count,
        "copies": 0 if matrix_bytes == FLOAT32 else matrix_bytes * count,
    }


def activation_bytes(
    config: AlbertConfig,
    batch_size: int,
    length: int,
    predictions: int,
    *,
    matrix_bytes: int = FLOAT32,
    fused_attention: bool = True,
) -> dict[str, int]:
    """Bytes that the forward pass stores for the backward pass, by part, without dropout.

    Stored is what the derivative of each operation needs: the input of every linear map, of GELU
    and of LayerNorm; query, key and value; the softmax over the vocabulary.
    `matrix_bytes` is the size of what enters a matrix product or GELU; LayerNorm and softmax stay
    in float32, as autocast has them on a GPU. Fused attention stores one number a query instead
    of all its probabilities.

    Example:
        >>> from albert_lib.config import AlbertConfig
        >>> from albert_lib.model.costs import activation_bytes
        >>> whole = activation_bytes(AlbertConfig(), 1, 512, 20, fused_attention=False)
        >>> fused = activation_bytes(AlbertConfig(), 1, 512, 20)
        >>> round(whole["layers"] / fused["layers"], 2)
        1.5
    """
    tokens, layers = batch_size * length, applied_layers(config)
    narrow, wide, inner = config.embedding_size, config.hidden_size, config.intermediate_size
    scores = config.num_attention_heads * (1 if fused_attention else length)
    # The layer's input, query, key, value, context, the block's input; around GELU.
    operands = 6 * wide + 2 * inner
    normalised = 2 * wide + 2 * 2  # into two LayerNorms, with a mean and a deviation each
    head = matrix_bytes * 2 * narrow + FLOAT32 * (narrow + 2 + config.vocab_size)
    return {
        "embeddings": tokens * (matrix_bytes * narrow + FLOAT32 * (narrow + 2)),
        "layers": layers * tokens * (matrix_bytes * operands + FLOAT32 * (normalised + scores)),
        "mlm_head": tokens * matrix_bytes * wide + predictions * head,  # the last states are stored
        "sop_head": batch_size * (matrix_bytes * wide + FLOAT32 * SOP_CLASSES),
    }


def training_bytes(
    config: AlbertConfig,
    batch_size: int,
    length: int,
    predictions: int,
    matrix_bytes: int = FLOAT32,
) -> int:
    """Bytes of everything that is in memory at the end of a forward pass.

    Example:
        >>> from albert_lib.config import AlbertConfig
        >>> from albert_lib.model.costs import training_bytes
        >>> f"{training_bytes(AlbertConfig.preset('albert-xlarge-v1'), 1, 512, 20) / 1e9:.1f} GB"
        '2.6 GB'
    """
    state = state_bytes(config, matrix_bytes)
    saved = activation_bytes(config, batch_size, length, predictions, matrix_bytes=matrix_bytes)
    return sum(state.values()) + sum(saved.values())


def largest_batch(
    config: AlbertConfig,
    memory_bytes: float,
    length: int = 512,
    predictions: int = 20,
    matrix_bytes: int = FLOAT32,
) -> int:
    """The most sequences, of `predictions` masked tokens each, that fit; 0 where none does.

    Example:
        >>> from albert_lib.config import AlbertConfig
        >>> from albert_lib.model.costs import largest_batch
        >>> largest_batch(AlbertConfig.preset("albert-xlarge-v1"), 80e9, matrix_bytes=2)
        86
    """
    state = sum(state_bytes(config, matrix_bytes).values())
    sequence = training_bytes(config, 1, length, predictions, matrix_bytes) - state
    return max(0, int((memory_bytes - state) // sequence))


def ring_bytes(n_bytes: int, workers: int) -> float:
    """Bytes that each of `workers` sends in a ring all_reduce of `n_bytes` of gradient.

    Every worker sends W-1 of W parts twice: once to reduce, once to gather (Patarasuk and Yuan,
    2009). No all_reduce among the workers alone can send less.

    Example:
        >>> from albert_lib.model.costs import ring_bytes
        >>> ring_bytes(400, workers=4)
        600.0
    """
    return 2 * (workers - 1) / workers * n_bytes
