"""What users of transformers type works as they know it, or says what to type instead."""

from __future__ import annotations

from typing import Any

import pytest
import torch
import transformers

import albert_lib
from albert_lib import AlbertConfig, AlbertForMaskedLM, AlbertForPreTraining, AlbertModel
from albert_lib.errors import ConfigError, InputError

IDS = torch.randint(5, 100, (3, 11), generator=torch.Generator().manual_seed(4))
MASK = torch.ones_like(IDS)
MASK[1, 7:] = 0
MLM_LABELS = torch.full_like(IDS, -100)
MLM_LABELS[0, 3], MLM_LABELS[2, 5], MLM_LABELS[2, 9] = 17, 42, 8
ORDER = torch.tensor([0, 1, 1])
MODELS: dict[str, tuple[str, dict[str, Any], dict[str, torch.Tensor]]] = {
    "MLM": ("AlbertForMaskedLM", {}, {"labels": MLM_LABELS}),
    "pretraining": (
        "AlbertForPreTraining", {}, {"labels": MLM_LABELS, "sentence_order_label": ORDER}
    ),
    "classes": (
        "AlbertForSequenceClassification",
        {"labels": ("a", "b", "c")},
        {"labels": torch.tensor([2, 0, 1])},
    ),
    "numbers": (
        "AlbertForSequenceClassification",
        {"labels": ("score",)},
        {"labels": torch.tensor([0.5, 2.0, -1.0])},
    ),
    "several classes": (
        "AlbertForSequenceClassification",
        {"labels": ("a", "b")},
        {"labels": torch.tensor([[1.0, 0.0], [1.0, 1.0], [0.0, 0.0]])},
    ),
    "spans": (
        "AlbertForQuestionAnswering",
        {},
        {"start_positions": torch.tensor([1, 0, 99]), "end_positions": torch.tensor([4, 0, 2])},
    ),
    "tokens": (
        "AlbertForTokenClassification",
        {"labels": ("O", "B", "I")},
        {"labels": torch.where(IDS % 2 == 0, IDS % 3, -100)},
    ),
    "choices": ("AlbertForMultipleChoice", {}, {"labels": torch.tensor([2])}),
}  # fmt: skip


def both(folder: Any, name: str, config: AlbertConfig) -> tuple[Any, Any]:
    torch.manual_seed(0)
    ours = getattr(albert_lib, name)(config.replace(initializer_range=0.3)).eval()
    ours.save_pretrained(folder)
    return ours, getattr(transformers, name).from_pretrained(folder).eval()


@torch.no_grad()
@pytest.mark.parametrize("case", MODELS)
def test_labels_give_the_loss_of_transformers(tmp_path, tiny, case: str) -> None:
    name, changes, labels = MODELS[case]
    ours, theirs = both(tmp_path, name, tiny.replace(**changes))
    inputs = {"input_ids": IDS, "attention_mask": MASK}
    if name == "AlbertForMultipleChoice":
        inputs = {key: tensor[None] for key, tensor in inputs.items()}
    output, expected = ours(**inputs, **labels), theirs(**inputs, **labels)
    assert output.loss.item() == pytest.approx(expected.loss.item(), abs=1e-6, rel=1e-6)
    assert output[0] is output.loss is output["loss"]
    assert output.keys() == list(expected.keys())
    without = ours(**inputs)
    assert without.loss is None and "loss" not in without and len(without) == len(output) - 1
    for mine, reference in zip(without.to_tuple(), theirs(**inputs).to_tuple(), strict=True):
        assert (mine - reference).abs().max() < 1e-5


@torch.no_grad()
def test_labels_at_masked_positions_give_the_same_loss(tiny) -> None:
    model = AlbertForMaskedLM(tiny.replace(initializer_range=0.3)).eval()
    masked = (MLM_LABELS.flatten() != -100).nonzero()[:, 0]
    whole = model(IDS, MASK, labels=MLM_LABELS).loss
    for labels in (MLM_LABELS, MLM_LABELS.flatten()[masked]):
        at_masked = model(IDS, MASK, masked_positions=masked, labels=labels)
        assert at_masked.logits.shape == (3, 100)
        assert at_masked.loss.item() == pytest.approx(whole.item(), rel=1e-6)


@torch.no_grad()
def test_positions_and_embeddings_of_ones_own(tmp_path, tiny) -> None:
    ours, theirs = both(tmp_path, "AlbertModel", tiny)
    positions = torch.arange(11).flip(0)[None] + 7
    for inputs in (
        {"input_ids": IDS, "position_ids": positions},
        {"input_ids": IDS, "position_ids": positions.expand(3, -1)},
        {"inputs_embeds": ours.embeddings.word_embeddings(IDS) + 0.1, "attention_mask": MASK},
    ):
        output, expected = ours(**inputs, return_dict=True), theirs(**inputs)
        difference = output.last_hidden_state - expected.last_hidden_state
        mask = inputs.get("attention_mask", MASK * 0 + 1).bool()
        assert difference[mask].abs().max() < 1e-5
    torch.testing.assert_close(
        ours(inputs_embeds=ours.embeddings.word_embeddings(IDS))[0], ours(IDS)[0]
    )


@torch.no_grad()
def test_hidden_states_and_attentions_come_from_every_model(tiny) -> None:
    for name, _, _ in MODELS.values():
        ids = IDS[None] if name == "AlbertForMultipleChoice" else IDS
        model = getattr(albert_lib, name)(tiny).eval()
        output = model(ids, output_hidden_states=True, output_attentions=True)
        assert len(output.hidden_states) == len(output.attentions) + 1 == 7
        assert output.to_tuple()[-1] is output.attentions


@pytest.mark.usefixtures("without_shape_checks")
@pytest.mark.parametrize(
    ("model", "arguments", "sentence"),
    [
        (
            AlbertModel,
            {"input_ids": IDS[0]},
            r"shape \(11,\), but AlbertModel reads \(batch, seq\)",
        ),
        (AlbertForMaskedLM, {"input_ids": IDS[0]}, r"write input_ids\[None\]"),
        (AlbertModel, {"input_ids": IDS.float()}, r"torch.float32.*write input_ids\.long\(\)"),
        (AlbertModel, {"input_ids": IDS.tolist()}, "input_ids is a list, not a tensor"),
        (AlbertModel, {}, "reads input_ids or inputs_embeds; give one of the two"),
        (AlbertModel, {"input_ids": IDS, "inputs_embeds": torch.zeros(3, 11, 16)}, "one of the"),
        (AlbertModel, {"input_ids": IDS, "token_type_ids": MASK.float()}, r"token_type_ids\.long"),
        (AlbertModel, {"input_ids": IDS, "position_ids": MASK + 64}, "position_ids holds 65"),
        (AlbertModel, {"input_ids": IDS, "position_ids": MASK[:, :4]}, "position_ids has shape"),
        (AlbertModel, {"input_ids": IDS, "head_mask": MASK}, r"head_mask; to switch a head off"),
        (AlbertModel, {"input_ids": IDS, "positions": MASK}, "give masked_positions"),
        (AlbertModel, {"input_ids": IDS, "return_dict": False}, r"call \.to_tuple\(\)"),
        (AlbertModel, {"input_ids": IDS, "lables": MASK}, r"no argument lables; help\(AlbertModel"),
        (AlbertForMaskedLM, {"input_ids": IDS, "masked_lm_labels": IDS}, "give labels"),
        (AlbertForMaskedLM, {"input_ids": IDS, "masked_positions": IDS}, "holds flat indices"),
        (AlbertForPreTraining, {"input_ids": IDS, "labels": IDS}, "give sentence_order_label too"),
        (
            albert_lib.AlbertForQuestionAnswering,
            {"input_ids": IDS, "masked_positions": IDS[0]},
            "no MLM head",
        ),
    ],
)
def test_what_does_not_work_says_what_to_type(tiny, model, arguments, sentence) -> None:
    with pytest.raises(InputError, match=sentence):
        model(tiny)(**arguments)


def test_an_output_is_not_unpacked_by_accident(tiny) -> None:
    output = AlbertModel(tiny)(IDS)
    with pytest.raises(InputError, match=r"unpack output\.to_tuple\(\)"):
        _states, _pooled = output
    with pytest.raises(KeyError, match="this AlbertOutput has last_hidden_state, pooler_output"):
        output["logits"]
    states, pooled = output.to_tuple()
    assert states is output[0] and pooled is output[1] and output[:1] == (states,)


def test_counting_as_transformers_counts(tmp_path, tiny) -> None:
    ours, theirs = both(tmp_path, "AlbertForMaskedLM", tiny)
    for model in (ours, theirs):
        model.get_submodule("albert.encoder").requires_grad_(False)
    for how in ({}, {"only_trainable": True}, {"exclude_embeddings": True}):
        assert ours.num_parameters(**how) == theirs.num_parameters(**how), how
    assert ours.device == torch.device("cpu") and ours.dtype == torch.float32


def test_from_pretrained_takes_types_and_numbers_of_labels(tmp_path, tiny) -> None:
    AlbertForMaskedLM(tiny).to(torch.bfloat16).save_pretrained(tmp_path)
    for dtype in (torch.bfloat16, "bfloat16", "auto"):
        assert AlbertForMaskedLM.from_pretrained(tmp_path, dtype=dtype).dtype == torch.bfloat16
        old = AlbertForMaskedLM.from_pretrained(tmp_path, torch_dtype=dtype)
        assert {p.dtype for p in old.parameters()} == {torch.bfloat16}
    assert AlbertForMaskedLM.from_pretrained(tmp_path).dtype == torch.float32
    classifier = albert_lib.AlbertForSequenceClassification
    with pytest.warns(UserWarning, match="new weights"):
        model = classifier.from_pretrained(tmp_path, num_labels=3)
    assert model.config.labels == ("LABEL_0", "LABEL_1", "LABEL_2")
    with pytest.warns(UserWarning, match="new weights"):
        model = classifier.from_pretrained(
            tmp_path, id2label={0: "no", 1: "yes"}, label2id={"no": 0, "yes": 1}
        )
    assert model.config.labels == ("no", "yes")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"output_hidden_states": True}, r"give it to the call: model\(\.\.\."),
        ({"device_map": "auto"}, r"model\.to\(device\)"),
        ({"revision": "main"}, "name@revision"),
        ({"dtype": "int8"}, "no type of floating-point numbers"),
        ({"dtype": "wide"}, "no type of floating-point numbers"),
        ({"hidden": 3}, "AlbertConfig has no field hidden"),
    ],
)
def test_from_pretrained_says_what_to_type(tmp_path, tiny, arguments, sentence) -> None:
    AlbertForMaskedLM(tiny).save_pretrained(tmp_path)
    with pytest.raises(ConfigError, match=sentence):
        AlbertForMaskedLM.from_pretrained(tmp_path, **arguments)
