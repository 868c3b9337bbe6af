"""The task heads against transformers, both ways, and the published shapes."""

from __future__ import annotations

import pytest
import torch
import transformers

from albert_lib import (
    AlbertForMultipleChoice,
    AlbertForQuestionAnswering,
    AlbertForSequenceClassification,
    AlbertForTokenClassification,
)
from albert_lib.errors import CheckpointError, InputError

HEADS = {
    "AlbertForSequenceClassification": AlbertForSequenceClassification,
    "AlbertForQuestionAnswering": AlbertForQuestionAnswering,
    "AlbertForMultipleChoice": AlbertForMultipleChoice,
    "AlbertForTokenClassification": AlbertForTokenClassification,
}


def batch(name: str) -> dict[str, torch.Tensor]:
    """Three texts of eleven pieces, the last two padded; or one question with three choices."""
    input_ids = torch.randint(5, 100, (3, 11), generator=torch.Generator().manual_seed(2))
    attention_mask, token_type_ids = torch.ones_like(input_ids), torch.zeros_like(input_ids)
    attention_mask[1, 7:] = attention_mask[2, 4:] = 0
    token_type_ids[0, 6:] = 1
    tensors = {
        "input_ids": input_ids,
        "attention_mask": attention_mask,
        "token_type_ids": token_type_ids,
    }
    if name == "AlbertForMultipleChoice":
        return {key: tensor[None] for key, tensor in tensors.items()}
    return tensors


def scores(output) -> torch.Tensor:
    """What a head says, as one tensor."""
    if hasattr(output, "start_logits"):
        return torch.stack([output.start_logits, output.end_logits])
    return output.logits


@pytest.mark.parametrize(
    ("name", "classes"),
    [
        ("AlbertForSequenceClassification", 1),
        ("AlbertForSequenceClassification", 3),
        ("AlbertForQuestionAnswering", 2),
        ("AlbertForMultipleChoice", 2),
        ("AlbertForMultipleChoice", 5),
        ("AlbertForTokenClassification", 3),
    ],
)
@torch.no_grad()
def test_what_transformers_saves_is_loaded(tmp_path, tiny, name, classes) -> None:
    torch.manual_seed(0)
    config = transformers.AlbertConfig(
        **tiny.replace(initializer_range=0.3).to_dict(), num_labels=classes
    )
    theirs = getattr(transformers, name)(config).eval()
    theirs.save_pretrained(tmp_path)
    ours = HEADS[name].from_pretrained(tmp_path)
    expected = scores(theirs(**batch(name)))
    assert scores(ours(**batch(name))).shape == expected.shape
    assert (scores(ours(**batch(name))) - expected).abs().max() < 1e-5
    assert expected.std() > 1e-2


@pytest.mark.parametrize("name", HEADS)
@torch.no_grad()
def test_what_is_saved_is_read_by_transformers(tmp_path, tiny, name) -> None:
    torch.manual_seed(0)
    labels = ("no", "yes") if name == "AlbertForQuestionAnswering" else ("no", "yes", "perhaps")
    ours = HEADS[name](tiny.replace(labels=labels, initializer_range=0.3)).eval()
    ours.save_pretrained(tmp_path)
    theirs, report = getattr(transformers, name).from_pretrained(tmp_path, output_loading_info=True)
    assert not any(report.values()), report
    assert tuple(theirs.config.id2label.values()) == labels
    difference = scores(ours(**batch(name))) - scores(theirs.eval()(**batch(name)))
    assert difference.abs().max() < 1e-5


PAIRS = torch.randint(5, 100, (8, 13), generator=torch.Generator().manual_seed(5))
FIRSTS = torch.tensor([4, 7, 2, 9, 3, 3, 5, 8])  # of each pair, the length of its first segment
LENGTHS = torch.tensor([13, 9, 12, 13, 5, 8, 11, 10])


@pytest.mark.parametrize(
    ("name", "shape", "labels"),
    [
        ("AlbertForSequenceClassification", (8, 13), {"labels": [2, 0, 1, 1, 0, 2, 2, 1]}),
        ("AlbertForMultipleChoice", (2, 4, 13), {"labels": [3, 1]}),
        ("AlbertForTokenClassification", (8, 13), {"labels": [[0, 1, 2, -100] * 3 + [1]] * 8}),
        (
            "AlbertForQuestionAnswering",
            (8, 13),
            {
                "start_positions": [5, 0, 3, 10, 3, 4, 0, 9],
                "end_positions": [8, 0, 3, 12, 4, 7, 0, 9],
            },
        ),
    ],
)
def test_padded_pairs_score_and_learn_as_in_transformers(
    tmp_path, tiny, name, shape, labels
) -> None:
    """MNLI's three classes of pairs, RACE's four choices of two questions, SQuAD's spans."""
    position = torch.arange(13)
    inputs = {
        "input_ids": PAIRS.view(shape),
        "attention_mask": (position < LENGTHS[:, None]).long().view(shape),
        "token_type_ids": (
            (position >= FIRSTS[:, None]) & (position < LENGTHS[:, None])
        ).long().view(shape),
        **{key: torch.tensor(label) for key, label in labels.items()},
    }  # fmt: skip
    torch.manual_seed(0)
    several = ("AlbertForSequenceClassification", "AlbertForTokenClassification")
    classes = ("a", "b", "c") if name in several else ("a", "b")
    ours = HEADS[name](tiny.replace(num_hidden_layers=2, initializer_range=0.3, labels=classes))
    ours.eval().save_pretrained(tmp_path)
    theirs = getattr(transformers, name).from_pretrained(tmp_path).eval()
    output, expected = ours(**inputs), theirs(**inputs)
    assert scores(output).shape == scores(expected).shape
    assert (scores(output) - scores(expected)).abs().max() < 1e-5
    assert scores(expected).std() > 0.05
    assert output.loss.item() == pytest.approx(expected.loss.item(), rel=1e-5)
    output.loss.backward()
    expected.loss.backward()
    head = "qa_outputs" if "Question" in name else "classifier"
    for each in (
        f"{head}.weight",
        f"{head}.bias",
        "albert.embeddings.token_type_embeddings.weight",
    ):
        mine, reference = (model.get_parameter(each).grad for model in (ours, theirs))
        assert (mine - reference).abs().max() < 1e-5
        assert reference.abs().max() > 1e-3 or each.endswith("bias")


def test_dropout_before_the_head_acts_in_training_only(tiny) -> None:
    config = tiny.replace(classifier_dropout_prob=0.5)
    for name in ("AlbertForSequenceClassification", "AlbertForMultipleChoice"):
        model = HEADS[name](config).train()
        first, second = (scores(model(**batch(name))) for _ in range(2))
        assert not torch.equal(first, second)
        model.eval()
        first, second = (scores(model(**batch(name))) for _ in range(2))
        assert torch.equal(first, second)


def test_a_head_of_another_size_is_refused_by_shape(tmp_path, tiny) -> None:
    AlbertForSequenceClassification(tiny).save_pretrained(tmp_path)
    with pytest.raises(
        CheckpointError, match=r"weight is \(2, 32\) instead of \(3, 32\).*as many labels"
    ):
        AlbertForSequenceClassification.from_pretrained(tmp_path, labels=("a", "b", "c"))
    with pytest.raises(CheckpointError, match="load it as the kind of model"):
        AlbertForMultipleChoice.from_pretrained(tmp_path)


@pytest.mark.usefixtures("without_shape_checks")
def test_choices_without_their_dimension_are_refused(tiny) -> None:
    with pytest.raises(InputError, match=r"shape \(3, 11\), but choices are read from"):
        AlbertForMultipleChoice(tiny)(torch.full((3, 11), 5))
