"""The doctor's desk shows what was measured, gives nothing away, and judges as `diagnose` does."""

from __future__ import annotations

import pytest

from albert_lib.diagnosis import diagnose
from albert_lib.diagnosis.rules import RULES
from albert_lib.files import data_folder
from albert_lib.training import History
from albert_lib.training.history import Row
from albert_lib.workbook.drawings import doctor

SOUND = {
    "held_out_mlm_loss": 6.2, "uniform_loss": 9.0, "unigram_entropy": 6.1,
    "known_text_loss": 6.2, "hearing": 0.1,
    "commonest_answer": 0.3, "text_attended": 1.0, "padding_attended": 0.0, "visible_share": 0.1,
    "kept_share": 0.5, "kept_expected": 0.5, "neighbour_share": 0.0,
}  # fmt: skip
FAULTS = {
    doctor.HEALTHY: {},
    "rate too high": {"hearing": 1e-6, "commonest_answer": 1.0},
    "attention mask": {"text_attended": 0.0, "padding_attended": 1.0},
    "labels visible": {"visible_share": 1.0, "kept_share": 1.0},
    "labels shuffled": {"kept_share": 0.0},
    "labels off by one": {"neighbour_share": 1.0, "kept_share": 0.0},
}


def patient(**fault: float) -> History:
    rows = [{"step": n, "mlm_loss": 9.0 - 2.8 * n / 80, "learning_rate": 0.002}
            for n in range(1, 81)]  # fmt: skip
    rows[-1].update(SOUND | fault)
    return History(rows)


@pytest.mark.parametrize("cause", FAULTS)
def test_the_right_diagnosis_alone_is_called_right(cause: str) -> None:
    history = patient(**FAULTS[cause])
    right = set(diagnose(history).causes) or {doctor.HEALTHY}
    assert cause in right
    for diagnosis in set(doctor.DIAGNOSES) - {doctor.NOT_YET}:
        verdict = doctor.judged(history, diagnosis)[0]
        assert verdict.startswith("✓ Right: " if diagnosis in right else "✗ Not this: ")
    assert doctor.judged(history, doctor.NOT_YET) == ["Your diagnosis?"]


def test_every_diagnosis_is_a_cause_that_an_instrument_decides() -> None:
    assert set(doctor.DECIDED_BY) <= {rule.cause for rule in RULES}
    assert set(doctor.DECIDED_BY.values()) <= set(doctor.INSTRUMENTS)


@pytest.mark.parametrize(("instrument", "read"), [
    (
        "attention to context",
        "changes by 1e-06 of its norm; the most in this run was 1e-06, at step 80. 100% of the",
    ),
    (
        "lowest loss",
        "lowest at step 80: 6.62 nats, 0.52 above counting. Now it is 6.62, 0.52 above counting.",
    ),
    ("attention mask", "lets through 25% of the text and 0% of the padding"),
    ("labels in the input", "at 50%, by the masking it should be 50%. 0% of the labels"),
    ("learning rate", "was 0.002; 0.002 where the loss was lowest."),
])  # fmt: skip
def test_an_instrument_reads_the_last_look_and_no_diagnosis(instrument: str, read: str) -> None:
    history = patient(hearing=1e-6, commonest_answer=1.0, text_attended=0.25)
    figure, alt = doctor.draw_patient(history, {"counting": 6.1}, instrument, doctor.NOT_YET)
    assert read in alt and "ignores its context" not in alt, "nothing is given away"
    assert read in figure.axes[1].texts[0].get_text().replace("\n", " ")
    curve = figure.axes[0]
    assert curve.lines[1].get_xydata().tolist() == [[80, 6.2]]
    assert curve.texts[0].xy == (80, 6.1)


def test_a_history_of_few_looks_is_drawn_as_it_is() -> None:
    recorded = History.load(data_folder() / "histories" / "quick-five-minutes.json")
    figure, _ = doctor.draw_patient(recorded, {}, "the curve alone", doctor.HEALTHY)
    assert figure.axes[0].lines[0].get_xdata().tolist() == recorded.column("step").tolist()


def lost_again(losses: list[float], hearing: dict[int, float]) -> History:
    """A run of these losses at a climbing rate, looked at in some steps."""
    rows: list[Row] = [
        {"step": step, "mlm_loss": loss, "learning_rate": step * 1e-5}
        for step, loss in enumerate(losses, 1)
    ]
    for step, change in hearing.items():
        rows[step - 1].update(SOUND | {"hearing": change})
    return History(rows)


FALL = [9.0 - 0.05 * n for n in range(100)]  # to 4.05, two nats below counting


def test_a_run_that_fell_back_is_told_from_one_that_never_left_and_from_a_spike() -> None:
    lost = lost_again(FALL + [6.2] * 100, {100: 0.5, 200: 1e-4})
    spike = lost_again(FALL + [6.1] * 30 + [4.0] * 70, {100: 0.5, 200: 0.5})
    plateau = lost_again([9.0 - 0.029 * n for n in range(100)] + [6.1] * 100, {200: 1e-6})
    named = {"late divergence": lost, doctor.HEALTHY: spike, "rate too high": plateau}
    for diagnosis in doctor.DIAGNOSES[1:]:
        for right, history in named.items():
            verdict = doctor.judged(history, diagnosis)[0]
            assert verdict.startswith("✓ Right: " if diagnosis == right else "✗ Not this: ")
    assert "Look at: lowest loss." in doctor.judged(plateau, "late divergence")[0]
    assert doctor.judged(lost, "rate too high") == [
        "✗ Not this: rate too high. It has not always ignored its context. Look at: lowest loss."
    ]
    assert doctor.judged(spike, "rate too high")[0].endswith("high. Look at: attention to context.")

    def read(history: History, instrument: str) -> str:
        return doctor.draw_patient(history, {}, instrument, doctor.NOT_YET)[1]

    assert (
        "lowest at step 100: 4.65 nats, 1.45 below counting. Now it is 6.20, 0.10 above counting."
    ) in read(lost, "lowest loss")
    assert "Now it is 4.00, 2.10 below counting." in read(spike, "lowest loss")
    assert "lowest at step 125: 6.10 nats, 0.00" in read(plateau, "lowest loss")
    assert "0.0001 of its norm; the most in this run was 0.5, at step 100" in read(
        lost, "attention to context"
    )
    assert "was 0.002; 0.001 where the loss was lowest" in read(lost, "learning rate")


@pytest.mark.parametrize(("name", "right"), [
    ("late-divergence", "late divergence"), ("spike", doctor.HEALTHY),
])  # fmt: skip
def test_diagnose_and_the_desk_agree_on_the_kept_runs(name: str, right: str) -> None:
    kept = History.load(data_folder() / "histories" / f"{name}.json")
    assert diagnose(kept).causes == (() if right == doctor.HEALTHY else (right,))
    for diagnosis in doctor.DIAGNOSES[1:]:
        expected = "✓ Right: " if diagnosis == right else "✗ Not this: "
        assert doctor.judged(kept, diagnosis)[0].startswith(expected)
