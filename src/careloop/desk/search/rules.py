"""How a text becomes search tokens: plain Python, the same for both databases.

A run of Chinese, Japanese or Korean characters becomes its overlapping pairs, the last character alone: 我要退款 → 我要 要退 退款 款.
A query of two or more characters is then a phrase of pairs, and finds the characters wherever they stand side by side; no dictionary
decides what is a word. Other runs of letters and digits are folded to lower case. See docs/decisions/0003.
"""

import re
import unicodedata

MAX_TOKENS = 12_000
MAX_TOKEN_LENGTH = 60
CJK = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003ffff"
RUN = re.compile(f"(?P<cjk>[{CJK}]+)|[^\\W_{CJK}]+")


def tokens(text: str) -> list[str]:
    """The tokens to index, in their order; at most MAX_TOKENS."""
    found: list[str] = []
    for run, is_cjk in _runs(text):
        if is_cjk:
            found.extend(run[i : i + 2] for i in range(len(run)))
        else:
            found.append(run[:MAX_TOKEN_LENGTH])
        if len(found) >= MAX_TOKENS:
            return found[:MAX_TOKENS]
    return found


def phrases(query: str) -> list[list[str]]:
    """What to look for: each phrase is tokens that must stand side by side; a token that ends in * stands for its beginnings."""
    found = []
    for run, is_cjk in _runs(query[:500]):
        if not is_cjk:
            found.append([run[:MAX_TOKEN_LENGTH] + ("*" if len(run) > 1 else "")])
        elif len(run) == 1:
            found.append([run + "*"])
        else:
            found.append([run[i : i + 2] for i in range(len(run) - 1)])
    return found[:20]


def _runs(text: str) -> list[tuple[str, bool]]:
    folded = unicodedata.normalize("NFKC", text).casefold()
    return [(match.group(), match.lastgroup == "cjk") for match in RUN.finditer(folded)]
