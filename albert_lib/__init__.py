"""albert_lib: every piece of ALBERT (Lan et al., 2019) that the workbook builds, tested.

Public names are loaded on first use, so that `import albert_lib` stays fast.
"""

from __future__ import annotations

import sys

__version__ = "0.1.0"

# That of `typing`, whose import takes longer than all of this file: `python -m albert_lib` answers
# Ctrl-C only behind it.
TYPE_CHECKING = False

_HOME_OF = {
    "AlbertConfig": "config",
    "AlbertLibError": "errors",
    "AlbertTokenizer": "text",
    "TokenStore": "corpus",
    "AlbertModel": "model",
    "AlbertForPreTraining": "model",
    "AlbertForMaskedLM": "model",
    "AlbertForSequenceClassification": "model",
    "AlbertForTokenClassification": "model",
    "AlbertForQuestionAnswering": "model",
    "AlbertForMultipleChoice": "model",
    "AlbertForConditionedSpans": "model",
    "Lamb": "training",
    "pretrain": "training",
    "FillMask": "probing",
    "Town": "town",
}

__all__ = [*_HOME_OF, "__version__"]

# Before PyTorch is loaded, which reads the number once. Of a command it is a matter of `__main__`,
# which answers Ctrl-C before anything else.
if not (sys.argv[:1] == ["-m"] and __name__ in sys.orig_argv):
    from albert_lib.processors import limit_threads

    limit_threads()


def __getattr__(name: str) -> object:
    import importlib

    if name not in _HOME_OF:
        raise AttributeError(f"albert_lib has no {name!r}; it has {', '.join(_HOME_OF)}.")
    value = getattr(importlib.import_module(f"albert_lib.{_HOME_OF[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)


if TYPE_CHECKING:
    from albert_lib.config import AlbertConfig as AlbertConfig
    from albert_lib.corpus import TokenStore as TokenStore
    from albert_lib.errors import AlbertLibError as AlbertLibError
    from albert_lib.model import AlbertForConditionedSpans as AlbertForConditionedSpans
    from albert_lib.model import AlbertForMaskedLM as AlbertForMaskedLM
    from albert_lib.model import AlbertForMultipleChoice as AlbertForMultipleChoice
    from albert_lib.model import AlbertForPreTraining as AlbertForPreTraining
    from albert_lib.model import AlbertForQuestionAnswering as AlbertForQuestionAnswering
    from albert_lib.model import (
        AlbertForSequenceClassification as AlbertForSequenceClassification,
    )
    from albert_lib.model import AlbertForTokenClassification as AlbertForTokenClassification
    from albert_lib.model import AlbertModel as AlbertModel
    from albert_lib.probing import FillMask as FillMask
    from albert_lib.text import AlbertTokenizer as AlbertTokenizer
    from albert_lib.town import Town as Town
    from albert_lib.training import Lamb as Lamb
    from albert_lib.training import pretrain as pretrain
