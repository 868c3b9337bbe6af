"""The characters that end a sentence in any script, and those that may stand around its end."""

from __future__ import annotations

ASCII_TERMINALS = ".?!"
"""They stand inside of words and numbers too: 3.5, www.example.org."""

TERMINALS = (
    ASCII_TERMINALS
    + r"\u0589\u061D-\u061F\u06D4\u0700-\u0702\u07F9\u0837\u0839\u083D-\u083E\u0964-\u0965"
    r"\u104A-\u104B\u1362\u1367-\u1368\u166E\u1735-\u1736\u17D4-\u17D5\u1803\u1809\u1944-\u1945"
    r"\u1AA8-\u1AAB\u1B4E-\u1B4F\u1B5A-\u1B5B\u1B5E-\u1B5F\u1B7D-\u1B7F\u1C3B-\u1C3C"
    r"\u1C7E-\u1C7F\u2024\u203C-\u203D\u2047-\u2049\u2CF9-\u2CFB\u2E2E\u2E3C\u2E53-\u2E54"
    r"\u2E60-\u2E61\u3002\uA4FF\uA60E-\uA60F\uA6F3\uA6F7\uA876-\uA877\uA8CE-\uA8CF\uA92F"
    r"\uA9C8-\uA9C9\uAA5D-\uAA5F\uAAF0-\uAAF1\uABEB\uFE12\uFE15-\uFE16\uFE52\uFE56-\uFE57"
    r"\uFF01\uFF0E\uFF1F\uFF61\U00010A56-\U00010A57\U00010F55-\U00010F59\U00010F86-\U00010F89"
    r"\U00011047-\U00011048\U000110BE-\U000110C1\U00011141-\U00011143\U000111C5-\U000111C6"
    r"\U000111CD\U000111DE-\U000111DF\U00011238-\U00011239\U0001123B-\U0001123C\U000112A9"
    r"\U000113D4-\U000113D5\U0001144B-\U0001144C\U000115C2-\U000115C3\U000115C9-\U000115D7"
    r"\U00011641-\U00011642\U0001173C-\U0001173E\U00011944\U00011946\U00011A42-\U00011A43"
    r"\U00011A9B-\U00011A9C\U00011C41-\U00011C42\U00011EF7-\U00011EF8\U00011F43-\U00011F44"
    r"\U00016A6E-\U00016A6F\U00016AF5\U00016B37-\U00016B38\U00016B44\U00016D6E-\U00016D6F"
    r"\U00016E98\U0001BC9F\U0001DA88"
)
"""Unicode's Sentence_Terminal (PropList.txt), to stand between the brackets of a pattern."""

OPENERS = r"\"'“‘„‚(\[«»‹›「『（【〈《〔｢¿¡"
CLOSERS = r"\"'”’“‘)\]«»‹›」』）】〉》〕｣"
"""Quotation marks and brackets, likewise; which of them open depends on the language."""

UNSPACED = (
    r"\u0E00-\u0EFF\u1000-\u109F\u1780-\u17FF\u3040-\u30FF\u3400-\u4DBF\u4E00-\u9FFF\uF900-\uFAFF"
    r"\U00020000-\U0003FFFF"
)
"""Scripts without a space between words: Thai, Lao, Burmese, Khmer, Japanese, Chinese."""
