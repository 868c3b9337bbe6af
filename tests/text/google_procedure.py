"""Google's tokenization, written out a second time, for ours to agree with."""

from __future__ import annotations

import unicodedata

from sentencepiece import SentencePieceProcessor


class GoogleTokenizer:
    """`preprocess_text` and `encode_pieces` of google-research/albert, step by step.

    Works on pieces as they are written, and asks SentencePiece again for each piece that ends in
    a digit and a comma. Crashes on text that is not valid Unicode.
    """

    def __init__(self, model: bytes) -> None:
        self.processor = SentencePieceProcessor(model_proto=model)

    def preprocess_text(self, text: str) -> str:
        text = " ".join(text.strip().split())
        text = unicodedata.normalize("NFKD", text)
        return "".join(char for char in text if not unicodedata.combining(char)).lower()

    def encode_pieces(self, text: str) -> list[str]:
        pieces = []
        for piece in self.processor.encode(text, out_type=str):
            if len(piece) > 1 and piece[-1] == "," and piece[-2].isdigit():
                number = self.processor.encode(piece[:-1].replace("▁", ""), out_type=str)
                if piece[0] != "▁" and number[0][0] == "▁":
                    number[0] = number[0][1:]
                pieces += [part for part in number if part] + [","]
            else:
                pieces.append(piece)
        return pieces

    def ids(self, text: str) -> list[int]:
        pieces = self.encode_pieces(self.preprocess_text(text))
        return [self.processor.piece_to_id(piece) for piece in pieces]
