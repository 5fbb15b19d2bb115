"""Which tokens find Chinese words: overlapping pairs of characters against the dictionary words of rjieba (docs/decisions/0003).

    python -m benchmarks.search_tokens ../shared/data/shop_reviews.csv.gz --text review

Prints JSON: over the 2,000 most frequent two-character words of the texts and over 500 two-character pieces taken at random places, the
share of the texts containing them that each index finds (recall, mean over the words), and the tokens to store for a text.
"""

import argparse
import json
import random
from collections import Counter
from pathlib import Path

import polars as pl
import rjieba

from careloop.desk.search.rules import tokens

SEED = 20260522


def is_chinese(text: str) -> bool:
    """All characters in the basic ideographic block."""
    return all("\u4e00" <= character <= "\u9fff" for character in text)


def search_words(text: str) -> set[str]:
    """Every word the dictionary sees in a text, those inside longer words included."""
    return set(rjieba.cut_all(text)) | set(rjieba.cut(text, hmm=True))


def recall(words: list[str], texts: list[str], index: list[set[str]]) -> float:
    """The mean share of the texts containing a word whose token set holds it."""
    shares = []
    for word in words:
        containing = [i for i, text in enumerate(texts) if word in text]
        if containing:
            shares.append(sum(word in index[i] for i in containing) / len(containing))
    return sum(shares) / len(shares)


def main() -> None:
    """Compare the two on the given file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", type=Path)
    parser.add_argument("--text", required=True)
    parser.add_argument("--rows", type=int, default=5000)
    options = parser.parse_args()
    generator = random.Random(SEED)
    texts = pl.read_csv(options.file)[options.text].drop_nulls().to_list()
    texts = generator.sample(texts, min(options.rows, len(texts)))
    pairs, words = [set(tokens(text)) for text in texts], [search_words(text) for text in texts]
    frequent = Counter(word for found in words for word in found if len(word) == 2 and is_chinese(word))
    common = [word for word, _ in frequent.most_common(2000)]
    pieces = []
    while len(pieces) < 500:
        text = generator.choice(texts)
        start = generator.randrange(max(1, len(text) - 1))
        if len(piece := text[start : start + 2]) == 2 and is_chinese(piece):
            pieces.append(piece)
    print(
        json.dumps(
            {
                "texts": len(texts),
                "recall_of_words": {"pairs": round(recall(common, texts, pairs), 4), "rjieba": round(recall(common, texts, words), 4)},
                "recall_of_pieces": {"pairs": round(recall(pieces, texts, pairs), 4), "rjieba": round(recall(pieces, texts, words), 4)},
                "tokens_per_text": {
                    "pairs": round(sum(len(tokens(text)) for text in texts) / len(texts), 1),
                    "rjieba": round(sum(len(rjieba.cut_all(text)) for text in texts) / len(texts), 1),
                },
            },
            indent=2,
        )
    )


if __name__ == "__main__":
    main()
