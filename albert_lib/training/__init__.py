"""Training: LAMB, Muon, a recipe, one loop, checkpoints that survive a kill, and pretraining."""

from albert_lib.training.checkpoint import Checkpoint, load_latest, save_checkpoint
from albert_lib.training.copied_positions import copy_positions
from albert_lib.training.evaluation import Evaluation, evaluate
from albert_lib.training.held_out_scores import bits_per_byte, perplexity
from albert_lib.training.history import History, TrainingError
from albert_lib.training.lamb import Lamb, lamb_update, parameter_groups
from albert_lib.training.loop import TrainingLoop, train_step
from albert_lib.training.muon import MuonWithAdamW, muon_groups
from albert_lib.training.plain_loop import training_steps
from albert_lib.training.precision import autocast, best_dtype, choose_precision
from albert_lib.training.pretraining import PretrainingRun, build_optimizer, pretrain
from albert_lib.training.pretraining_losses import pretraining_loss
from albert_lib.training.recipe import Recipe, warmup_linear
from albert_lib.training.run import Run
from albert_lib.training.stages import Stage

__all__ = [
    "Checkpoint",
    "Evaluation",
    "History",
    "Lamb",
    "MuonWithAdamW",
    "PretrainingRun",
    "Recipe",
    "Run",
    "Stage",
    "TrainingError",
    "TrainingLoop",
    "autocast",
    "best_dtype",
    "bits_per_byte",
    "build_optimizer",
    "choose_precision",
    "copy_positions",
    "evaluate",
    "lamb_update",
    "load_latest",
    "muon_groups",
    "parameter_groups",
    "perplexity",
    "pretrain",
    "pretraining_loss",
    "save_checkpoint",
    "train_step",
    "training_steps",
    "warmup_linear",
]
