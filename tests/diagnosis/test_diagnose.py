"""Every planted fault is named, nothing else is, and healthy runs raise no alarm."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from albert_lib.corpus import excerpt
from albert_lib.diagnosis import Measurements, diagnose
from albert_lib.diagnosis.hooks import record_model_call
from albert_lib.diagnosis.measurements import (
    context_sensitivity,
    first_sequences,
    gradient_norms,
)
from albert_lib.diagnosis.rules import RULES
from albert_lib.errors import ConfigError
from albert_lib.model import AlbertForPreTraining
from albert_lib.objectives import PretrainingBatches
from albert_lib.training import History, PretrainingRun, pretraining_loss, recipe
from benchmarks.planted_faults import FAULTS, HEALTHY, Fault, Workshop, run, small_workshop

# A second seed where a run takes a second; python -m benchmarks.diagnosis runs as many as asked.
RUNS = [(name, seed) for name in FAULTS for seed in (0, 1) if seed == 0 or FAULTS[name].length == 1]


@pytest.fixture(scope="module")
def workshop(tmp_path_factory: pytest.TempPathFactory) -> Workshop:
    return small_workshop(tmp_path_factory.mktemp("workshop"))


@pytest.fixture(scope="module")
def healthy(workshop: Workshop) -> History:
    return run(workshop, Fault(None), seed=3)


@pytest.fixture
def model(workshop: Workshop) -> AlbertForPreTraining:
    torch.manual_seed(0)
    return AlbertForPreTraining(workshop.config).eval()


@pytest.fixture
def batches(workshop: Workshop) -> PretrainingBatches:
    return PretrainingBatches(
        workshop.store, workshop.tokenizer, batch_size=4, sequence_length=32, seed=5
    )


@pytest.mark.parametrize(("name", "seed"), RUNS)
def test_a_planted_fault_is_named_and_no_other(name: str, seed: int, workshop: Workshop) -> None:
    fault = FAULTS[name]
    assert diagnose(run(workshop, fault, seed)).causes == (fault.cause,)


@pytest.mark.parametrize("name", HEALTHY)
def test_a_healthy_run_raises_no_alarm(name: str, workshop: Workshop) -> None:
    diagnosis = diagnose(run(workshop, HEALTHY[name], seed=0))
    assert (diagnosis.causes, diagnosis.not_judged) in (((), ()), ((), ("labels shuffled",)))
    if name == "early":
        assert "It is still falling." in str(diagnosis)
        assert str(diagnosis).endswith("while the loss falls, go on.")


def test_every_cause_has_a_run_in_which_it_was_planted() -> None:
    assert {rule.cause for rule in RULES} == {fault.cause for fault in FAULTS.values()}


def test_a_rate_of_zero_is_told(workshop: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recipe, "warmup_linear", lambda step, **settings: 0.0)
    diagnosis = diagnose(run(workshop, Fault(None, 0.1, recipe={"warmup_steps": 0}), seed=0))
    assert diagnosis.causes == ("rate too low",)
    assert "The learning rate was 0 at all 6 steps." in str(diagnosis)


def made_up(losses: np.ndarray, rate: float) -> History:
    """A history of these losses at one rate, with the marks of a text."""
    marks = {"uniform_loss": 9.0, "unigram_entropy": 6.3}
    rows = [
        {"step": step, "loss": loss, "mlm_loss": loss, "learning_rate": rate} | marks
        for step, loss in enumerate(losses.tolist(), 1)
    ]
    return History(rows)


def test_a_rate_that_never_changes_may_be_too_low_all_the_same() -> None:
    noise = np.random.default_rng(0).normal(0, 0.02, 200)
    assert diagnose(made_up(8.99 + noise, 1e-7)).causes == ("rate too low",)


def test_a_loss_that_climbs_is_said_to_climb() -> None:
    noise = np.random.default_rng(0).normal(0, 0.05, 200)
    summary = diagnose(made_up(np.linspace(5, 8, 200) + noise, 0.01)).summary
    assert summary.endswith("it rose by 0.75: it is getting worse.")
    summary = diagnose(made_up(6 + noise, 0.01)).summary
    assert summary.endswith(", which may be chance.")


def test_a_history_of_few_rows_is_not_called_a_short_run() -> None:
    whole = made_up(6 + np.random.default_rng(0).normal(0, 0.05, 1000), 0.01)
    summary = diagnose(History(whole.rows[99::100])).summary
    assert summary.startswith("After 1000 steps the training MLM loss is ")
    assert summary.endswith(". Too few losses were kept to say whether it moves.")
    assert "The run is too short" in diagnose(History(whole.rows[:49])).summary


def test_a_saved_history_is_diagnosed_alike(healthy: History, tmp_path: Path) -> None:
    healthy.save(tmp_path / "history.json")
    assert diagnose(History.load(tmp_path / "history.json")) == diagnose(healthy)


def test_a_history_without_measurements_says_what_cannot_be_judged(healthy: History) -> None:
    kept = ("step", "loss", "mlm_loss", "sop_loss", "learning_rate", "held_out_mlm_loss")
    old = History([{k: v for k, v in row.items() if k in kept} for row in healthy.rows])
    diagnosis = diagnose(old)
    assert diagnosis.problems == ()
    assert set(diagnosis.not_judged) == {each.cause for each in RULES} - {
        "rate too low", "overfitting"
    }  # fmt: skip
    assert "Not judged, because this history lacks the numbers: labels visible," in str(diagnosis)
    assert "No known problem" not in str(diagnosis)


def test_one_step_is_too_few_to_say_anything(workshop: Workshop) -> None:
    history = run(workshop, Fault(None, 1 / 60, recipe={"warmup_steps": 0}), seed=0)
    assert len(history) == 1
    assert "The run is too short" in str(diagnose(history))


def test_what_is_not_a_pretraining_history_is_refused() -> None:
    for history in (History(), History([{"step": 1, "loss": 2.0}])):
        with pytest.raises(ConfigError, match="no column mlm_loss"):
            diagnose(history)


def test_measuring_changes_nothing(workshop: Workshop, model: AlbertForPreTraining) -> None:
    measure = Measurements(
        PretrainingRun(model, workshop.store, workshop.tokenizer, workshop.recipe)
    )
    model.train()
    generator = torch.get_rng_state()
    before = {name: each.clone() for name, each in model.state_dict().items()}
    first = measure()
    assert measure() == first
    assert model.training
    assert torch.equal(torch.get_rng_state(), generator)
    assert all(torch.equal(each, before[name]) for name, each in model.state_dict().items())
    assert all(each.grad is None for each in model.parameters())
    assert not model._forward_hooks
    assert first["uniform_loss"] == pytest.approx(math.log(8000))
    assert first["unigram_entropy"] == workshop.store.unigram_entropy()


def test_the_labels_are_read_off_the_gradient(
    model: AlbertForPreTraining, batches: PretrainingBatches
) -> None:
    batch = batches.batch(0)

    def everywhere(model: AlbertForPreTraining, batch: object) -> dict[str, torch.Tensor]:
        labels = torch.full((batch.input_ids.numel(),), -100)  # type: ignore[attr-defined]
        labels[batch.masked_positions] = batch.masked_labels  # type: ignore[attr-defined]
        scores = model(batch.input_ids).prediction_logits.flatten(0, 1)  # type: ignore[attr-defined]
        return {"loss": 3 * F.cross_entropy(scores, labels)}

    for loss, share in ((pretraining_loss, 1.0), (everywhere, 3.0)):
        call = record_model_call(model, loss, batch)
        assert call is not None
        assert torch.equal(call.predicted_positions, batch.masked_positions)
        assert torch.equal(call.labels, batch.masked_labels)
        assert call.mlm_loss_ratio == pytest.approx(share, rel=1e-5)
    assert call.attention_mask.all() and not call.token_type_ids.any(), "as the model takes it"
    without_call = record_model_call(
        model, lambda model, batch: {"loss": model.mlm_head.bias.sum()}, batch
    )
    assert without_call is None


def test_gradients_tell_the_tie_and_what_is_cut_off(
    model: AlbertForPreTraining, batches: PretrainingBatches
) -> None:
    batch = batches.batch(0)
    model.albert.encoder.requires_grad_(False)
    loss = pretraining_loss(model, batch)["mlm_loss"]
    found = gradient_norms(model, loss, batch.input_ids)
    assert (found["gradient_encoder"], found["gradient_order_head"]) == (0, 0)
    assert found["tied_share"] == 1
    (slope,) = torch.autograd.grad(
        pretraining_loss(model, batch)["mlm_loss"], model.albert.embeddings.word_embeddings.weight
    )
    assert found["gradient_words"] == pytest.approx(slope.norm().item(), rel=1e-5)


def test_context_sensitivity_is_zero_without_attention_to_others(
    workshop: Workshop, model: AlbertForPreTraining, batches: PretrainingBatches
) -> None:
    batch = batches.batch(0)
    assert context_sensitivity(model, batch, workshop.tokenizer) > 1e-3
    for attention in {layer.attention for layer in model.albert.encoder.layers}:
        torch.nn.init.zeros_(attention.value.weight)
    assert context_sensitivity(model, batch, workshop.tokenizer) == 0


def test_the_first_sequences_keep_their_labels(batches: PretrainingBatches) -> None:
    batch = batches.batch(2)
    few = first_sequences(batch, 3)
    assert few.input_ids.shape == (3, 32)
    per_sequence = (batch.masked_positions // 32 < 3).sum()
    assert len(few.masked_positions) == len(few.masked_labels) == per_sequence
    assert torch.equal(few.masked_labels, batch.masked_labels[:per_sequence])


def test_an_excerpt_is_whole_sentences_from_all_over(workshop: Workshop) -> None:
    store = workshop.store
    assert excerpt.excerpt(store, store.n_tokens) is store
    short = excerpt.excerpt(store, store.n_tokens // 3)
    assert store.n_tokens / 5 < short.n_tokens < store.n_tokens / 2
    assert short.n_documents == store.n_documents
    whole = {tuple(store.sentence(number)) for number in range(store.n_sentences)}
    assert {tuple(short.sentence(number)) for number in range(short.n_sentences)} <= whole
    for document in range(store.n_documents):
        first, copied = (
            each.sentence(int(each.document_starts[document])) for each in (store, short)
        )
        assert (copied == first).all()


def test_tokens_of_a_large_store_are_counted_in_a_sample(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = workshop.store
    exact = excerpt.unigram_counts(store)
    assert (exact == store.unigram_counts()).all()
    monkeypatch.setattr(excerpt, "COUNTED_AT_ONCE", 50)
    monkeypatch.setattr(excerpt, "COUNTED_TOKENS", 1000)
    sample = excerpt.unigram_counts(store)
    assert sample.sum() == 1000 < store.n_tokens
    common = exact.argmax()
    assert sample[common] / 1000 == pytest.approx(exact[common] / exact.sum(), abs=0.05)
