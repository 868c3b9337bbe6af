"""Why a run is stuck: what is measured while it trains, and what the numbers say (notebook 05)."""

from albert_lib.diagnosis.diagnose import Diagnosis, diagnose
from albert_lib.diagnosis.measurements import Measurements
from albert_lib.diagnosis.rules import Problem

__all__ = ["Diagnosis", "Measurements", "Problem", "diagnose"]
