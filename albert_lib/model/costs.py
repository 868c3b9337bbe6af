"""What training an ALBERT costs, by arithmetic alone: operations, memory, traffic.

Nothing is built or run here. The tests hold the formulas against PyTorch's own counter of
operations and against the tensors that a backward pass really keeps.
"""

from __future__ import annotations

from albert_lib.config import AlbertConfig

FLOAT32, BFLOAT16 = 4, 2  # bytes a number
OPTIMIZER_MEANS = 2  # LAMB and AdamW keep two running means of every gradient
SOP_CLASSES = 2  # in order, swapped


def applied_layers(config: AlbertConfig) -> int:
    """How often a layer is applied, whatever is shared."""
    return config.num_hidden_layers * config.inner_group_num


def training_flops(
    config: AlbertConfig, batch_size: int, length: int, predictions: int
) -> dict[str, int]:
    """Floating-point operations of one training step, by part; matrix products alone.

    `predictions` are the masked pieces of the whole batch: the vocabulary is scored there alone.
    A multiplication and its addition are two operations. Backward, every product is met by two
    of its size, one for the gradient of each factor.
    """
    tokens = batch_size * length
    narrow, wide, inner = config.embedding_size, config.hidden_size, config.intermediate_size
    layers = applied_layers(config)
    products = {
        "widening": tokens * narrow * wide if config.has_projection else 0,
        "attention_maps": layers * tokens * 4 * wide * wide,  # query, key, value, output
        "attention_scores": layers * tokens * 2 * length * wide,  # scores, and mixing by them
        "feed_forward": layers * tokens * 2 * wide * inner,
        "mlm_head": predictions * (wide * narrow + narrow * config.vocab_size),
        "sop_head": batch_size * (wide * wide + wide * SOP_CLASSES),  # the pooler, two classes
    }
    return {part: 3 * 2 * count for part, count in products.items()}


def spared_flops(config: AlbertConfig, batch_size: int, length: int, predictions: int) -> int:
    """How many of `training_flops` a step of this library does without.

    After its attention, the last layer works at the predictions and every [CLS] alone: no head
    looks anywhere else.
    """
    wide, inner = config.hidden_size, config.intermediate_size
    unseen = batch_size * length - predictions - batch_size
    return 3 * 2 * unseen * (wide * wide + 2 * wide * inner)


def flops_a_token(config: AlbertConfig, length: int = 512, predictions: int = 20) -> float:
    """Operations of training, a token; by default as the paper trained: 20 masked pieces of 512."""
    return sum(training_flops(config, 1, length, predictions).values()) / length


def parameters(config: AlbertConfig) -> int:
    """Unique parameters of an AlbertForPreTraining."""
    return config.num_parameters(mlm_head=True, sop_head=True)


def state_bytes(config: AlbertConfig, matrix_bytes: int = FLOAT32) -> dict[str, int]:
    """Bytes that a training process holds whatever the batch: 16 a parameter in float32.

    With `matrix_bytes` of 2 (bfloat16 autocast) every matrix has a narrow copy beside it.
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
    """Bytes that the forward pass keeps for the backward one, by part, without dropout.

    Kept is what the derivative of each operation needs: the input of every linear map, of GELU
    and of LayerNorm, the three sides of attention, the softmax of the vocabulary's scores.
    `matrix_bytes` is the size of what enters a matrix product or GELU; LayerNorm and softmax stay
    in float32, as autocast has them on a GPU. Fused attention keeps one number a query instead of
    all its weights.
    """
    tokens, layers = batch_size * length, applied_layers(config)
    narrow, wide, inner = config.embedding_size, config.hidden_size, config.intermediate_size
    scores = config.num_attention_heads * (1 if fused_attention else length)
    operands = (
        6 * wide + 2 * inner
    )  # layer's input, query, key, value, context, block's input; GELU
    normalised = 2 * wide + 2 * 2  # into two LayerNorms, with a mean and a deviation each
    head = matrix_bytes * 2 * narrow + FLOAT32 * (narrow + 2 + config.vocab_size)
    return {
        "embeddings": tokens * (matrix_bytes * narrow + FLOAT32 * (narrow + 2)),
        "layers": layers * tokens * (matrix_bytes * operands + FLOAT32 * (normalised + scores)),
        "mlm_head": tokens * matrix_bytes * wide + predictions * head,  # the last states are kept
        "sop_head": batch_size * (matrix_bytes * wide + FLOAT32 * SOP_CLASSES),
    }


def training_bytes(
    config: AlbertConfig,
    batch_size: int,
    length: int,
    predictions: int,
    matrix_bytes: int = FLOAT32,
) -> int:
    """Bytes of everything that is held at once, at the end of a forward pass."""
    state = state_bytes(config, matrix_bytes)
    kept = activation_bytes(config, batch_size, length, predictions, matrix_bytes=matrix_bytes)
    return sum(state.values()) + sum(kept.values())


def largest_batch(
    config: AlbertConfig,
    memory_bytes: float,
    length: int = 512,
    predictions: int = 20,
    matrix_bytes: int = FLOAT32,
) -> int:
    """The most sequences, of `predictions` masked pieces each, that fit; 0 where none does."""
    state = sum(state_bytes(config, matrix_bytes).values())
    sequence = training_bytes(config, 1, length, predictions, matrix_bytes) - state
    return max(0, int((memory_bytes - state) // sequence))


def ring_bytes(n_bytes: int, workers: int) -> float:
    """Bytes that each of `workers` sends to sum `n_bytes` of gradient over all of them.

    In a ring every worker passes on W-1 of W pieces twice: once to sum, once to hand out
    (Patarasuk and Yuan, 2009). No scheme among the workers alone can do with less.
    """
    return 2 * (workers - 1) / workers * n_bytes
