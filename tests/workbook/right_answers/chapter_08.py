"""Chapter 8 as a good student answers it."""


def num_parameters(self):
    V, E, H = self.vocab_size, self.embedding_size, self.hidden_size
    intermediate = self.intermediate_size

    def linear(inputs, outputs):
        return inputs * outputs + outputs

    embeddings = (V + self.max_position_embeddings + self.type_vocab_size) * E + 2 * E
    projection = linear(E, H) if self.has_projection else 0
    attention = 4 * linear(H, H) + 2 * H
    feed_forward = linear(H, intermediate) + linear(intermediate, H) + 2 * H
    layers = self.num_hidden_groups * self.inner_group_num * (attention + feed_forward)
    pooler = linear(H, H)
    return embeddings + projection + layers + pooler
