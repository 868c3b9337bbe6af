"""The eight points where Hugging Face and Google differ: each switch, and that it matters."""

from __future__ import annotations

import math

import pytest
import torch
import torch.nn.functional as F
import transformers

from albert_lib import AlbertConfig, AlbertForPreTraining, AlbertModel
from albert_lib.errors import ConfigError
from albert_lib.model.attention import explicit_attention, fused_attention
from albert_lib.model.google_attention import additive_attention
from albert_lib.model.layer import FeedForward
from albert_lib.model.names import hugging_face_name

IDS = torch.arange(5, 17).view(2, 6)


def reference(model, folder, kind: str = "AlbertModel"):
    """The same weights in transformers."""
    model.save_pretrained(folder)
    return getattr(transformers, kind).from_pretrained(folder)


@torch.no_grad()
def test_1_tanh_and_exact_gelu_differ_and_transformers_follows_the_name(tmp_path, tiny) -> None:
    torch.manual_seed(0)
    exact = AlbertModel(tiny.replace(hidden_act="gelu", initializer_range=0.3)).eval()
    tanh = AlbertModel(tiny.replace(hidden_act="gelu_new")).eval()
    tanh.load_state_dict(exact.state_dict())
    outputs = {}
    for name, model in (("gelu", exact), ("gelu_new", tanh)):
        theirs = reference(model, tmp_path / name)
        outputs[name] = model(IDS).last_hidden_state
        assert (outputs[name] - theirs(IDS).last_hidden_state).abs().max() < 1e-5
    assert (outputs["gelu"] - outputs["gelu_new"]).abs().max() > 1e-4
    assert tiny.replace(hidden_act="gelu").as_google().hidden_act == "gelu_new"


def test_2_only_google_drops_the_feed_forward_output_out(tmp_path, tiny) -> None:
    config = tiny.replace(hidden_dropout_prob=0.5)
    hidden = torch.randn(4, 8, 32)
    for switch in (False, True):
        output = FeedForward(config.replace(ffn_dropout=switch)).train()(hidden)
        share = (output == 0).float().mean().item()
        assert share == pytest.approx(0.5 if switch else 0.0, abs=0.1)

    theirs = reference(AlbertModel(config), tmp_path).train()
    layer = theirs.encoder.albert_layer_groups[0].albert_layers[0]
    seen = {}
    layer.ffn_output.register_forward_hook(lambda _, i, output: seen.update(block=output))
    layer.attention.register_forward_hook(lambda _, i, output: seen.update(attended=output[0]))
    layer.full_layer_layer_norm.register_forward_pre_hook(lambda _, i: seen.update(total=i[0]))
    theirs(IDS)
    assert torch.equal(seen["total"], seen["block"] + seen["attended"])  # nothing dropped between


def test_3_only_google_trains_the_padding_row(tmp_path, tiny) -> None:
    ids = torch.tensor([[2, 7, 3, 0, 0]])
    rows = {}
    for switch in (False, True):
        model = AlbertModel(tiny.replace(train_padding_row=switch))
        words = model.embeddings.word_embeddings.weight
        assert (words[0].abs().max() > 0).item() is switch
        model(ids).last_hidden_state.square().sum().backward()
        rows[switch] = words.grad[0].abs().max().item()
    assert rows[False] == 0.0 < rows[True]
    made = transformers.AlbertModel(transformers.AlbertConfig(**tiny.to_dict()))
    assert made.embeddings.word_embeddings.weight[0].abs().max() == 0
    theirs = reference(AlbertModel(tiny), tmp_path)
    theirs(ids).last_hidden_state.square().sum().backward()
    assert theirs.embeddings.word_embeddings.weight.grad[0].abs().max() == 0


def test_4_google_draws_no_weight_beyond_two_deviations(tiny) -> None:
    config = tiny.replace(vocab_size=5000)
    theirs = transformers.AlbertModel(transformers.AlbertConfig(**config.to_dict()))
    drawn = theirs.embeddings.word_embeddings.weight[1:]
    assert drawn.abs().max() > 2 * config.initializer_range
    assert drawn.std().item() == pytest.approx(0.02, rel=0.02)
    normal, truncated = (
        AlbertModel(config.replace(truncated_init=switch)).embeddings.word_embeddings.weight[1:]
        for switch in (False, True)
    )
    assert truncated.abs().max() <= 2 * config.initializer_range < normal.abs().max()
    # The variance of a normal cut at two deviations, in closed form.
    density, inside = math.exp(-2) / math.sqrt(2 * math.pi), math.erf(math.sqrt(2))
    narrowed = 0.02 * math.sqrt(1 - 4 * density / inside)
    assert truncated.std().item() == pytest.approx(narrowed, rel=0.02)
    assert normal.std().item() == pytest.approx(0.02, rel=0.02)


@torch.no_grad()
def test_5_google_has_no_projection_between_equal_widths(tmp_path, tiny) -> None:
    config = tiny.replace(embedding_size=32, initializer_range=0.3)
    with_map, without = (
        AlbertForPreTraining(config.replace(project_equal_widths=switch)).eval()
        for switch in (True, False)
    )
    assert with_map.num_parameters() - without.num_parameters() == 32 * 32 + 32
    # In a folder the missing map is an identity, so that other libraries compute the same.
    theirs = reference(without, tmp_path, "AlbertForPreTraining")
    ours, again = without(IDS), AlbertForPreTraining.from_pretrained(tmp_path)
    assert (ours.prediction_logits - theirs(IDS).prediction_logits).abs().max() < 1e-5
    assert (ours.prediction_logits - again(IDS).prediction_logits).abs().max() < 1e-5
    narrow = AlbertForPreTraining(tiny.replace(project_equal_widths=False))
    assert narrow.albert.encoder.embedding_projection.weight.shape == (32, 16)


def test_6_only_hugging_face_drops_the_pooled_state_out_before_the_sop_head(tmp_path, tiny) -> None:
    config = tiny.replace(classifier_dropout_prob=0.5, initializer_range=0.3)
    changes = {}
    for switch in (True, False):
        model = AlbertForPreTraining(config.replace(sop_dropout=switch)).train()
        first, second = (model(IDS).sop_logits for _ in range(2))
        changes[switch] = (first - second).abs().max().item()
    assert changes[False] == 0.0 < changes[True]
    theirs = reference(AlbertForPreTraining(config), tmp_path, "AlbertForPreTraining").train()
    assert not torch.equal(theirs(IDS).sop_logits, theirs(IDS).sop_logits)


@torch.no_grad()
def test_7_padding_with_minus_10000_is_the_same_while_there_is_text_to_look_at(tiny) -> None:
    query, key, value = torch.randn(3, 2, 4, 6, 8).unbind(0)
    mask = torch.ones(2, 6, dtype=torch.long)
    mask[1, 4:] = 0
    context, probabilities = additive_attention(query, key, value, mask)
    expected, weights = explicit_attention(query, key, value, mask)
    assert (context - expected).abs().max() < 1e-6 and (probabilities - weights).abs().max() < 1e-6

    nothing = torch.zeros_like(mask)
    scores = (query @ key.transpose(-2, -1) / math.sqrt(8)).softmax(-1)
    google, _ = additive_attention(query, key, value, nothing)
    assert (google - scores @ value).abs().max() < 1e-2  # as if nothing were padding
    spread, _ = explicit_attention(query, key, value, nothing)
    assert (spread - value.mean(2, keepdim=True)).abs().max() < 1e-6
    assert fused_attention(query, key, value, nothing).abs().max() == 0
    assert (google - spread).abs().max() > 0.1


@torch.no_grad()
def test_7_the_switch_reaches_the_model(tmp_path, tiny) -> None:
    torch.manual_seed(0)
    plain = AlbertModel(tiny.replace(initializer_range=0.3)).eval()
    google = AlbertModel(tiny.replace(additive_mask=True)).eval()
    google.load_state_dict(plain.state_dict())
    mask = torch.tensor([[1, 1, 1, 1, 0, 0], [0, 0, 0, 0, 0, 0]])
    ours, theirs = plain(IDS, mask).last_hidden_state, google(IDS, mask).last_hidden_state
    assert (ours[0, :4] - theirs[0, :4]).abs().max() < 1e-5
    assert (ours[1] - theirs[1]).abs().max() > 1e-2
    transformed = reference(plain, tmp_path)(IDS, attention_mask=mask).last_hidden_state
    assert (ours[0, :4] - transformed[0, :4]).abs().max() < 1e-5
    assert (ours[1] - transformed[1]).abs().max() < 1e-5  # a row of padding alone included
    assert torch.equal(google(IDS).last_hidden_state, plain(IDS).last_hidden_state)
    probabilities = google(IDS, mask, output_attentions=True).attentions[0]
    assert F.l1_loss(probabilities.sum(-1), torch.ones(2, 4, 6)) < 1e-6


def test_8_layers_are_dealt_out_to_groups_by_three_roundings() -> None:
    def groups(n_layers: int, n_groups: int) -> dict[str, list[int]]:
        config = AlbertConfig(num_hidden_layers=n_layers, num_hidden_groups=n_groups)
        roundings = ("exact", "huggingface", "google")
        return {name: config.replace(group_rounding=name).layer_groups() for name in roundings}

    even = groups(24, 4)
    assert even["exact"] == even["huggingface"] == even["google"]
    many = groups(22, 22)
    assert many["exact"] == many["huggingface"] == list(range(22)) != many["google"]
    assert set(range(22)) - set(many["google"]) == {15}
    few = groups(18, 14)
    assert few["exact"] == few["google"] != few["huggingface"]


@torch.no_grad()
def test_8_the_default_is_what_transformers_runs(tmp_path) -> None:
    torch.manual_seed(0)
    config = AlbertConfig(
        vocab_size=50, embedding_size=8, hidden_size=16, num_hidden_layers=18,
        num_attention_heads=2, intermediate_size=32, num_hidden_groups=14, initializer_range=0.3,
    )  # fmt: skip
    model = AlbertModel(config).eval()
    theirs = reference(model, tmp_path)
    ours = model(IDS).last_hidden_state
    assert (ours - theirs(IDS).last_hidden_state).abs().max() < 1e-5
    exact = AlbertModel(config.replace(group_rounding="exact")).eval()
    names = {hugging_face_name(name, exact.config): name for name in exact.state_dict()}
    state = model.state_dict().items()
    exact.load_state_dict({names[hugging_face_name(name, config)]: t for name, t in state})
    assert (ours - exact(IDS).last_hidden_state).abs().max() > 1e-2
    with pytest.raises(ConfigError, match=r"divide 18 layers among 14 groups differently"):
        exact.save_pretrained(tmp_path)


@torch.no_grad()
def test_all_switches_together_give_a_model_that_runs_and_is_read_by_transformers(
    tmp_path, tiny
) -> None:
    torch.manual_seed(0)
    google = AlbertForPreTraining(tiny.replace(initializer_range=0.3).as_google()).eval()
    theirs = reference(google, tmp_path, "AlbertForPreTraining")
    difference = google(IDS).prediction_logits - theirs(IDS).prediction_logits
    assert difference.abs().max() < 1e-5
