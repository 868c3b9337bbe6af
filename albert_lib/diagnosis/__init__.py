"""Why a run is stuck: what is measured while it trains, and what the numbers say (notebook 05)."""

from albert_lib.diagnosis.diagnose import Diagnosis, diagnose
from albert_lib.diagnosis.measurements import VitalSigns
from albert_lib.diagnosis.rules import Finding

__all__ = ["Diagnosis", "Finding", "VitalSigns", "diagnose"]
