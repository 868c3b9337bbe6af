"""ALBERT with heads for tasks: classes of texts, choices, spans of answers (appendix A.4).

And classes of tokens, such as names and places, which transformers has and the paper does not.
"""

from __future__ import annotations

from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from albert_lib.config import AlbertConfig
from albert_lib.model.albert import AlbertWithHead
from albert_lib.model.losses import NOT_PREDICTED, classification_loss, span_loss
from albert_lib.model.outputs import AlbertOutput, ClassifierOutput, QuestionAnsweringOutput


class AlbertForSequenceClassification(AlbertWithHead[ClassifierOutput]):
    """One score a class from the pooled [CLS]: sentiment, inference, or one number to regress.

    Labels: `labels`, (batch,) class numbers; with a single class, numbers to regress; (batch,
    classes) of floats, where several classes may hold at once.

    Example:
        >>> import torch
        >>> from albert_lib import AlbertConfig, AlbertForSequenceClassification
        >>> model = AlbertForSequenceClassification(AlbertConfig(
        ...     vocab_size=100, hidden_size=24, num_hidden_layers=2, intermediate_size=48,
        ...     labels=("no", "yes", "perhaps")))
        >>> model(torch.tensor([[2, 17, 42, 3]])).logits.shape
        torch.Size([1, 3])
    """

    NEW_PARTS: ClassVar[tuple[str, ...]] = ("classifier", "albert.pooler")
    CLS_ONLY: ClassVar[bool] = True

    def __init__(self, config: AlbertConfig) -> None:
        super().__init__(config)
        self.dropout = nn.Dropout(config.classifier_dropout_prob)
        self.classifier = nn.Linear(config.hidden_size, config.num_labels)
        self.initialise()

    def score(self, features: AlbertOutput, shape: torch.Size) -> ClassifierOutput:
        """Scores of every class of `config.labels` for every text: (batch, classes)."""
        return ClassifierOutput(logits=self.classifier(self.dropout(features.pooler_output)))

    def loss(
        self, output: ClassifierOutput, labels: dict[str, Tensor], masked_positions: Tensor | None
    ) -> Tensor:
        """Cross-entropy of classes, squared error of numbers (transformers' rule)."""
        return classification_loss(output.logits, labels["labels"])


class AlbertForMultipleChoice(AlbertWithHead[ClassifierOutput]):
    """One score a choice, from the pooled [CLS] of question and choice read together.

    Ids, mask and segments are (batch, choices, seq), the scores (batch, choices). Labels:
    `labels`, (batch,) the number of the right choice.

    Example:
        >>> import torch
        >>> from albert_lib import AlbertConfig, AlbertForMultipleChoice
        >>> model = AlbertForMultipleChoice(AlbertConfig(
        ...     vocab_size=100, hidden_size=24, num_hidden_layers=2, intermediate_size=48))
        >>> model(torch.randint(5, 100, (2, 4, 7))).logits.shape
        torch.Size([2, 4])
    """

    NEW_PARTS: ClassVar[tuple[str, ...]] = ("classifier", "albert.pooler")
    CLS_ONLY: ClassVar[bool] = True
    CHOICES: ClassVar[bool] = True

    def __init__(self, config: AlbertConfig) -> None:
        super().__init__(config)
        self.dropout = nn.Dropout(config.classifier_dropout_prob)
        self.classifier = nn.Linear(config.hidden_size, 1)
        self.initialise()

    def score(self, features: AlbertOutput, shape: torch.Size) -> ClassifierOutput:
        """Scores of every choice of every question: (batch, choices)."""
        scores = self.classifier(self.dropout(features.pooler_output))  # (batch * choices, 1)
        return ClassifierOutput(logits=scores.view(shape[:2]))

    def loss(
        self, output: ClassifierOutput, labels: dict[str, Tensor], masked_positions: Tensor | None
    ) -> Tensor:
        """Cross-entropy in nats of the right choice."""
        return F.cross_entropy(output.logits.float(), labels["labels"].flatten().long())


class AlbertForTokenClassification(AlbertWithHead[ClassifierOutput]):
    """One score a class for every token: is it part of a name, of a place?

    Labels: `labels`, (batch, seq) class numbers; -100 where a token does not count.

    Example:
        >>> import torch
        >>> from albert_lib import AlbertConfig, AlbertForTokenClassification
        >>> model = AlbertForTokenClassification(AlbertConfig(
        ...     vocab_size=100, hidden_size=24, num_hidden_layers=2, intermediate_size=48,
        ...     labels=("O", "B-PER", "I-PER")))
        >>> model(torch.tensor([[2, 17, 42, 3]])).logits.shape
        torch.Size([1, 4, 3])
    """

    NEW_PARTS: ClassVar[tuple[str, ...]] = ("classifier",)
    POOLER: ClassVar[bool] = False

    def __init__(self, config: AlbertConfig) -> None:
        super().__init__(config)
        self.dropout = nn.Dropout(config.classifier_dropout_prob)
        self.classifier = nn.Linear(config.hidden_size, config.num_labels)
        self.initialise()

    def score(self, features: AlbertOutput, shape: torch.Size) -> ClassifierOutput:
        """Scores of every class of `config.labels` for every token: (batch, seq, classes)."""
        return ClassifierOutput(logits=self.classifier(self.dropout(features.last_hidden_state)))

    def loss(
        self, output: ClassifierOutput, labels: dict[str, Tensor], masked_positions: Tensor | None
    ) -> Tensor:
        """Mean cross-entropy in nats over the tokens that count."""
        logits = output.logits.float().flatten(0, 1)
        return F.cross_entropy(
            logits, labels["labels"].flatten().long(), ignore_index=NOT_PREDICTED
        )


class AlbertForQuestionAnswering(AlbertWithHead[QuestionAnsweringOutput]):
    """Two scores a token: does the answer start here, does it end here (SQuAD).

    Labels: `start_positions` and `end_positions`, (batch,) each; a position beyond the sequence,
    of an answer that was truncated away, does not count.

    Example:
        >>> import torch
        >>> from albert_lib import AlbertConfig, AlbertForQuestionAnswering
        >>> model = AlbertForQuestionAnswering(AlbertConfig(
        ...     vocab_size=100, hidden_size=24, num_hidden_layers=2, intermediate_size=48))
        >>> output = model(torch.tensor([[2, 17, 42, 3]]))
        >>> output.start_logits.shape, output.end_logits.shape
        (torch.Size([1, 4]), torch.Size([1, 4]))
    """

    NEW_PARTS: ClassVar[tuple[str, ...]] = ("qa_outputs",)
    POOLER: ClassVar[bool] = False
    LABELS: ClassVar[tuple[str, ...]] = ("start_positions", "end_positions")

    def __init__(self, config: AlbertConfig) -> None:
        super().__init__(config)
        self.qa_outputs = nn.Linear(config.hidden_size, 2)
        self.initialise()

    def score(self, features: AlbertOutput, shape: torch.Size) -> QuestionAnsweringOutput:
        """Scores of every token as the start and as the end: two tensors (batch, seq)."""
        scores = self.qa_outputs(features.last_hidden_state)  # (batch, seq, 2)
        return QuestionAnsweringOutput(start_logits=scores[..., 0], end_logits=scores[..., 1])

    def loss(
        self,
        output: QuestionAnsweringOutput,
        labels: dict[str, Tensor],
        masked_positions: Tensor | None,
    ) -> Tensor:
        """Mean of the cross-entropies of start and end."""
        start = span_loss(output.start_logits, labels["start_positions"])
        return (start + span_loss(output.end_logits, labels["end_positions"])) / 2
