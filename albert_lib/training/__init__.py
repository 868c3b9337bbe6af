"""Training: LAMB, Muon, a schedule, one loop, checkpoints that survive a kill, and pretraining."""

from albert_lib.training.checkpoint import Checkpoint, load_latest, save_checkpoint
from albert_lib.training.evaluation import Evaluation, evaluate
from albert_lib.training.history import History
from albert_lib.training.lamb import Lamb, lamb_update, parameter_groups
from albert_lib.training.loop import train, train_step
from albert_lib.training.muon import MuonWithAdamW, muon_groups
from albert_lib.training.precision import autocast, best_dtype
from albert_lib.training.pretraining import build_optimizer, pretrain, pretraining_loss
from albert_lib.training.recipe import Recipe
from albert_lib.training.recording import TrainingError
from albert_lib.training.schedule import warmup_linear

__all__ = [
    "Checkpoint",
    "Evaluation",
    "History",
    "Lamb",
    "MuonWithAdamW",
    "Recipe",
    "TrainingError",
    "autocast",
    "best_dtype",
    "build_optimizer",
    "evaluate",
    "lamb_update",
    "load_latest",
    "muon_groups",
    "parameter_groups",
    "pretrain",
    "pretraining_loss",
    "save_checkpoint",
    "train",
    "train_step",
    "warmup_linear",
]
