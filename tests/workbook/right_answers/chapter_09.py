"""Chapter 9 as a good student answers it."""


def training_flops(config, batch_size, length, predictions):
    H, E, V = config.hidden_size, config.embedding_size, config.vocab_size
    tokens = batch_size * length
    layers = config.num_hidden_layers * config.inner_group_num

    def cost(products):
        forward = 2 * products  # a multiplication and an addition
        return 3 * forward  # backward is twice as much again

    return {
        "embedding_projection": cost(tokens * E * H) if config.has_projection else 0,
        "attention_maps": cost(layers * tokens * 4 * H * H),
        "attention_scores": cost(layers * tokens * 2 * length * H),
        "feed_forward": cost(layers * tokens * 2 * H * config.intermediate_size),
        "mlm_head": cost(predictions * (H * E + E * V)),
        "sop_head": cost(batch_size * (H * H + 2 * H)),
    }
