"""The models against transformers with the same random weights."""

from __future__ import annotations

import pytest
import torch
import transformers

from albert_lib import AlbertConfig, AlbertForMaskedLM, AlbertForPreTraining, AlbertModel
from albert_lib.errors import InputError
from albert_lib.model.albert import _without_all_ones
from albert_lib.model.attention import _explicit_is_faster
from albert_lib.model.encoder import layer_schedule

SHAPES = {
    "one shared layer": {},
    "exact gelu": {"hidden_act": "gelu"},
    "E equals H": {"embedding_size": 32},
    "three groups": {"num_hidden_groups": 3},
    "groups of two layers": {"num_hidden_groups": 2, "inner_group_num": 2},
    "nothing shared": {"sharing": "none"},
    "one head": {"num_attention_heads": 1},
}


def random_model(model_class: type, config: AlbertConfig):
    """Weights large enough that a wrong formula moves the outputs by far more than 1e-5."""
    generator = torch.Generator().manual_seed(7)
    model = model_class(config).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=generator) * 0.3)
    return model


@pytest.fixture
def padded_batch() -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(3)
    input_ids = torch.randint(5, 100, (3, 11), generator=generator)
    attention_mask = torch.ones_like(input_ids)
    token_type_ids = torch.zeros_like(input_ids)
    token_type_ids[:, 6:] = 1
    for row, length in enumerate((11, 8, 3)):
        attention_mask[row, length:] = 0
        input_ids[row, length:] = 0
        token_type_ids[row, length:] = 0
    return {
        "input_ids": input_ids,
        "attention_mask": attention_mask,
        "token_type_ids": token_type_ids,
    }


def largest_difference(ours: torch.Tensor, theirs: torch.Tensor, mask: torch.Tensor | None = None):
    difference = (ours - theirs).abs()
    if mask is not None:
        difference = difference[mask.bool()]
    return difference.max().item()


@pytest.mark.parametrize("changes", SHAPES.values(), ids=SHAPES.keys())
@torch.no_grad()
def test_albert_model_equals_transformers(tmp_path, tiny, padded_batch, changes) -> None:
    ours = random_model(AlbertModel, tiny.replace(**changes))
    ours.save_pretrained(tmp_path)
    theirs = transformers.AlbertModel.from_pretrained(tmp_path).eval()
    a = ours(**padded_batch, output_hidden_states=True)
    b = theirs(**padded_batch)
    mask = padded_batch["attention_mask"]
    assert a.last_hidden_state.std() > 0.1
    assert largest_difference(a.last_hidden_state, b.last_hidden_state, mask) < 1e-5
    assert largest_difference(a.pooler_output, b.pooler_output) < 1e-5
    assert len(a.hidden_states) == len(layer_schedule(ours.config)) + 1


@pytest.mark.parametrize("changes", SHAPES.values(), ids=SHAPES.keys())
@torch.no_grad()
def test_pretraining_model_equals_transformers(tmp_path, tiny, padded_batch, changes) -> None:
    ours = random_model(AlbertForPreTraining, tiny.replace(**changes))
    ours.save_pretrained(tmp_path)
    theirs = transformers.AlbertForPreTraining.from_pretrained(tmp_path).eval()
    a, b = ours(**padded_batch), theirs(**padded_batch)
    mask = padded_batch["attention_mask"]
    assert largest_difference(a.prediction_logits, b.prediction_logits, mask) < 1e-5
    assert largest_difference(a.sop_logits, b.sop_logits) < 1e-5


@torch.no_grad()
def test_masked_lm_equals_transformers_without_mask_and_segments(
    tmp_path, tiny, padded_batch
) -> None:
    ours = random_model(AlbertForMaskedLM, tiny)
    ours.save_pretrained(tmp_path)
    theirs = transformers.AlbertForMaskedLM.from_pretrained(tmp_path).eval()
    ids = padded_batch["input_ids"]
    assert largest_difference(ours(ids).logits, theirs(ids).logits) < 1e-5


@torch.no_grad()
def test_attention_probabilities_equal_transformers(tmp_path, tiny, padded_batch) -> None:
    ours = random_model(AlbertModel, tiny)
    ours.save_pretrained(tmp_path)
    theirs = transformers.AlbertModel.from_pretrained(tmp_path, attn_implementation="eager").eval()
    a = ours(**padded_batch, output_attentions=True).attentions
    b = theirs(**padded_batch, output_attentions=True).attentions
    assert len(a) == tiny.num_hidden_layers
    for mine, reference in zip(a, b, strict=True):
        assert largest_difference(mine, reference) < 1e-5
        assert mine[1, :, :, 8:].max() == 0


def test_gradients_equal_transformers(tmp_path, tiny, padded_batch) -> None:
    """One backward pass through the shared layer, every parameter compared by HF's name."""
    from albert_lib.model.names import hugging_face_name

    ours = random_model(AlbertForPreTraining, tiny)
    ours.save_pretrained(tmp_path)
    theirs = transformers.AlbertForPreTraining.from_pretrained(tmp_path).eval()
    mask = padded_batch["attention_mask"].bool()
    ours(**padded_batch).prediction_logits[mask].logsumexp(-1).mean().backward()
    theirs(**padded_batch).prediction_logits[mask].logsumexp(-1).mean().backward()
    reference = {name: parameter.grad for name, parameter in theirs.named_parameters()}
    compared = 0
    for name, parameter in ours.named_parameters():
        if parameter.grad is None:
            continue
        theirs_grad = reference[hugging_face_name(name, tiny)]
        scale = theirs_grad.abs().max().clamp(min=1e-3)
        assert ((parameter.grad - theirs_grad).abs().max() / scale).item() < 1e-4, name
        compared += 1
    assert compared > 20
    assert ours.albert.embeddings.word_embeddings.weight.grad[0].abs().max() > 0  # through the tie


@torch.no_grad()
def test_masked_positions_give_the_same_rows(tiny, padded_batch) -> None:
    model = random_model(AlbertForPreTraining, tiny)
    positions = torch.tensor([1, 4, 11 + 2, 22 + 1])
    rows = model(**padded_batch, masked_positions=positions).prediction_logits
    everywhere = model(**padded_batch).prediction_logits.flatten(0, 1)
    assert largest_difference(rows, everywhere[positions]) < 1e-5


@pytest.mark.parametrize("changes", SHAPES.values(), ids=SHAPES.keys())
def test_sparing_the_last_layer_changes_neither_scores_nor_gradients(
    tiny, padded_batch, changes
) -> None:
    """With `masked_positions` the last layer works on them and [CLS] alone."""
    model = random_model(AlbertForPreTraining, tiny.replace(**changes))
    positions = torch.tensor([1, 4, 11 + 2, 22 + 1])
    results = []
    for asked in ({}, {"masked_positions": positions}):
        model.zero_grad()
        output = model(**padded_batch, **asked)
        logits = output.prediction_logits
        rows = logits if asked else logits.flatten(0, 1)[positions]
        (rows.logsumexp(-1).mean() + output.sop_logits.square().sum()).backward()
        gradients = {n: p.grad.clone() for n, p in model.named_parameters() if p.grad is not None}
        results.append((rows, output.sop_logits, gradients))
    (rows, order, gradients), (spared_rows, spared_order, spared) = results
    assert largest_difference(rows, spared_rows) < 1e-5
    assert largest_difference(order, spared_order) < 1e-5
    assert gradients.keys() == spared.keys()
    for name, gradient in gradients.items():
        scale = gradient.abs().max().clamp(min=1e-3)
        assert ((spared[name] - gradient).abs().max() / scale).item() < 1e-4, name


@torch.no_grad()
def test_hidden_states_are_whole_even_where_positions_are_given(tiny, padded_batch) -> None:
    model = random_model(AlbertModel, tiny)
    positions = torch.tensor([3, 12])
    whole = model(**padded_batch, output_hidden_states=True)
    both = model(**padded_batch, output_hidden_states=True, masked_positions=positions)
    assert all(
        torch.equal(a, b) for a, b in zip(whole.hidden_states, both.hidden_states, strict=True)
    )
    assert torch.equal(both.last_hidden_state, whole.last_hidden_state.flatten(0, 1)[positions])
    nothing = model(**padded_batch, masked_positions=positions[:0])
    assert nothing.last_hidden_state.shape == (0, 32)
    assert largest_difference(nothing.pooler_output, whole.pooler_output) < 1e-5


@torch.no_grad()
def test_padding_changes_nothing(tiny, padded_batch) -> None:
    model = random_model(AlbertModel, tiny)
    alone = model(
        padded_batch["input_ids"][1:2, :8], token_type_ids=padded_batch["token_type_ids"][1:2, :8]
    )
    padded = model(**padded_batch)
    assert largest_difference(alone.last_hidden_state[0], padded.last_hidden_state[1, :8]) < 1e-5
    assert largest_difference(alone.pooler_output[0], padded.pooler_output[1]) < 1e-5


def test_bfloat16_training_takes_the_other_attention_and_agrees(tiny, padded_batch) -> None:
    model = random_model(AlbertForPreTraining, tiny)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        low = model(**padded_batch).sop_logits
    assert (low.float() - model(**padded_batch).sop_logits).abs().max() < 0.15
    low.float().sum().backward()
    assert torch.isfinite(model.albert.encoder.layers[0].attention.query.weight.grad).all()


@pytest.mark.parametrize(
    ("sharing", "attentions", "ffns", "norms"),
    [("all", 1, 1, 1), ("attention", 1, 4, 1), ("ffn", 4, 1, 1), ("none", 4, 4, 4)],
)
def test_sharing_decides_how_many_sets_there_are(tiny, sharing, attentions, ffns, norms) -> None:
    encoder = AlbertModel(tiny.replace(sharing=sharing, num_hidden_layers=4)).encoder
    assert len(encoder.layers) == 4

    def different(part):
        return len({id(getattr(layer, part)) for layer in encoder.layers})

    assert different("attention") == attentions
    assert different("feed_forward") == ffns
    assert different("attention_norm") == different("feed_forward_norm") == norms
    assert (len(set(encoder.layers)) == 1) is (sharing == "all")


@pytest.mark.parametrize("layers", range(1, 30))
def test_layers_are_divided_evenly_among_groups(layers: int) -> None:
    for groups in range(1, layers + 1):
        config = AlbertConfig(num_hidden_layers=layers, num_hidden_groups=groups)
        used = [parts.attention for parts in layer_schedule(config)]
        assert used == sorted(used) and set(used) == set(range(groups))
        counts = [used.count(group) for group in range(groups)]
        assert max(counts) - min(counts) <= 1


def test_dropout_acts_in_training_only(tiny, padded_batch) -> None:
    model = AlbertModel(tiny.replace(hidden_dropout_prob=0.5, attention_probs_dropout_prob=0.5))
    model.train()
    first, second = (model(**padded_batch).last_hidden_state for _ in range(2))
    assert not torch.equal(first, second)
    model.eval()
    first, second = (model(**padded_batch).last_hidden_state for _ in range(2))
    assert torch.equal(first, second)


def test_initial_weights(tiny) -> None:
    model = AlbertForPreTraining(tiny.replace(vocab_size=5000))
    words = model.albert.embeddings.word_embeddings.weight
    assert words[0].abs().max() == 0
    assert words[1:].std().item() == pytest.approx(0.02, rel=0.02)
    assert model.albert.encoder.layers[0].feed_forward.intermediate.bias.abs().max() == 0


@pytest.mark.usefixtures("without_shape_checks")
@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"input_ids": torch.full((1, 3), 100)}, "input_ids holds 100, outside 0 to 99"),
        ({"input_ids": torch.full((1, 3), -1)}, "input_ids holds -1"),
        ({"input_ids": torch.full((1, 65), 5)}, "65 tokens but the model has 64 positions"),
        ({"input_ids": torch.zeros((1, 0), dtype=torch.long)}, "empty"),
        (
            {"input_ids": torch.full((1, 3), 5), "token_type_ids": torch.full((1, 3), 2)},
            "token_type_ids holds 2",
        ),
        (
            {"input_ids": torch.full((2, 3), 5), "attention_mask": torch.ones(1, 3).long()},
            r"attention_mask has shape \(1, 3\)",
        ),
    ],
)
def test_wrong_inputs_are_refused_with_a_sentence(tiny, arguments, sentence) -> None:
    with pytest.raises(InputError, match=sentence):
        AlbertModel(tiny)(**arguments)


def test_the_513th_token_is_refused(tiny) -> None:
    model = AlbertModel(tiny.replace(max_position_embeddings=512))
    assert model(torch.full((1, 512), 5)).last_hidden_state.shape == (1, 512, 32)
    with pytest.raises(InputError, match=r"513 tokens but the model has 512.*truncate it"):
        model(torch.full((1, 513), 5))


@pytest.mark.parametrize("rows", [1, 4])
def test_losses_against_torch_by_hand(rows: int) -> None:
    from albert_lib.model import mlm_loss

    generator = torch.Generator().manual_seed(rows)
    logits = torch.randn(rows, 6, 9, generator=generator)
    labels = torch.full((rows, 6), -100)
    labels[:, 1], labels[0, 4] = 3, 8
    chosen = [(row, 1) for row in range(rows)] + [(0, 4)]
    by_hand = [-logits[r, p].log_softmax(-1)[labels[r, p]].item() for r, p in chosen]
    assert mlm_loss(logits, labels).item() == pytest.approx(sum(by_hand) / len(by_hand), rel=1e-6)
    assert mlm_loss(logits, torch.full_like(labels, -100)).item() == 0


def test_gelu_in_bfloat16_is_off_by_less_than_its_two_forms_and_rounding() -> None:
    from albert_lib.model.layer import gelu_new

    inputs = torch.linspace(-6, 6, 20_001).bfloat16()
    exact = torch.nn.functional.gelu(inputs.double(), approximate="tanh")
    spacing = 2.0 ** (exact.abs().clamp(min=1e-6).log2().floor() - 7)
    error = (gelu_new(inputs).double() - exact).abs()
    assert (error <= 0.0005 + spacing / 2).all()
    assert torch.equal(
        gelu_new(inputs.float()), torch.nn.functional.gelu(inputs.float(), approximate="tanh")
    )


def test_a_mask_is_only_read_where_reading_is_free() -> None:
    ones, padded = torch.ones(2, 3), torch.tensor([[1, 1, 0]])
    assert _without_all_ones(ones) is None
    assert _without_all_ones(padded) is padded
    elsewhere = torch.ones(2, 3, device="meta")  # as on an accelerator: no value to read
    assert _without_all_ones(elsewhere) is elsewhere


def test_attention_is_written_out_where_that_was_measured_to_be_faster() -> None:
    def is_written_out(device: str, dtype: torch.dtype, trained: bool) -> bool:
        return _explicit_is_faster(torch.ones(2, device=device, dtype=dtype, requires_grad=trained))

    assert is_written_out("cpu", torch.bfloat16, trained=True)
    assert not is_written_out("cpu", torch.bfloat16, trained=False)
    assert not is_written_out("cpu", torch.float32, trained=True)
    assert not is_written_out("meta", torch.bfloat16, trained=True)
