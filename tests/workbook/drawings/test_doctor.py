"""The doctor's desk shows what was measured, gives nothing away, and judges as `diagnose` does."""

from __future__ import annotations

import pytest

from albert_lib.diagnosis import diagnose
from albert_lib.diagnosis.rules import RULES
from albert_lib.files import data_folder
from albert_lib.training import History
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
    ("attention to context", "changes by 1e-06 of its norm. 100% of the predictions"),
    ("attention mask", "lets through 25% of the text and 0% of the padding"),
    ("labels in the input", "at 50%, by the masking it should be 50%. 0% of the labels"),
    ("learning rate", "The highest rate so far was 0.002."),
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
