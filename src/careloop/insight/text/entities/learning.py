"""Learning types of entities from examples: chains in turns, a judge from what they found in texts unseen, figures from rows held back."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from careloop.insight.errors import InputError
from careloop.insight.text.entities.annotations import AnnotatedText, LabelledSpan
from careloop.insight.text.entities.chain_learning import TaggedTexts, learn_chain
from careloop.insight.text.entities.chains import Candidates, Chain, encode_tags, find_rows, join_candidates
from careloop.insight.text.entities.evaluation import score_entities
from careloop.insight.text.entities.evidence import Evidence
from careloop.insight.text.entities.features import Columns
from careloop.insight.text.entities.gazetteer import Gazetteer
from careloop.insight.text.entities.judging import learn_judge
from careloop.insight.text.entities.model import FORMAT, EntityModel, cut_pieces, prepare
from careloop.insight.text.entities.themes import learn_themes

_FEWEST_ROWS = 10
_HELD_BACK = 0.1
_FEW_ROWS, _HELD_BACK_OF_FEW = 500, 0.2
_FOLDS = 5
_LEAST_UNITS = 2  # that have a feature


def learn_entities(
    texts: Sequence[str], spans: Sequence[Sequence[LabelledSpan]], *, seed: int = 0, is_measured: bool = True, is_final: bool = True
) -> EntityModel:
    """Return a model of the types in the examples, and in its card how well it does on rows held back.

    Parameters
    ----------
    texts : sequence of str, length n_texts
    spans : sequence of sequence of (start, end, type), length n_texts
        The entities of each text, `end` exclusive, none overlapping another: what `read_annotations` returns.
    seed : int
        Of the split and of the order of learning; the same examples and seed give the same model.
    is_measured : bool
        Hold back a tenth of the rows (a fifth of fewer than 500), learn from the others, and report on them. Rows with the same text
        are on the same side.
    is_final : bool
        Learn once more from all rows afterwards. Without, the model that was measured is returned.

    Raises
    ------
    InputError
        When there are fewer than ten rows, texts and spans are of different number, or no row has an entity.

    References
    ----------
    The chain: see `learn_chain`. Leave-one-out gazetteer, themes, one chain with the mean weights of five, and the judge that learns
    from what each of the five found in the fifth that it did not see: ours (decision 0013).
    """
    rows = _check_examples(texts, spans)
    card: dict[str, Any] = {
        "format": FORMAT,
        "task": "entities",
        "rows": len(rows),
        "types": sorted({span.type for row in rows for span in row.spans}),
        "fingerprint": _fingerprint(rows),
        "seed": seed,
    }
    if is_measured:
        learnt, held_back = _split(rows, seed)
        model = _fit(learnt, seed, card | {"rows_learnt": len(learnt)})
        found = [
            [LabelledSpan(one.start, one.end, one.type) for one in entities] for entities in model.read([row.text for row in held_back])
        ]
        measured = {"held_back_rows": len(held_back), "report": score_entities([row.spans for row in held_back], found)}
        if not is_final:
            return EntityModel(model.card | measured, model.columns, model.chain, model.judge, model.gazetteer, model.themes)
        card |= measured
    return _fit(rows, seed, card | {"rows_learnt": len(rows)})


def _fit(rows: Sequence[AnnotatedText], seed: int, card: dict[str, Any]) -> EntityModel:
    pieces = [piece for row in rows for piece in _cut_example(row)]
    if not any(piece.spans for piece in pieces):
        raise InputError("No entity of the examples stands within one sentence of a long text; annotate shorter stretches.")
    themes, likely = learn_themes(pieces, seed=seed)
    gazetteer = Gazetteer.learn(pieces)
    evidence = Evidence.gather([piece.text for piece in pieces], themes.types, likely, gazetteer, pieces)
    layout, codes = evidence.layout, evidence.describe_units()
    columns = Columns.choose(codes, least=_LEAST_UNITS)
    numbered = columns.number(codes)
    del codes
    tags = np.zeros(len(layout), dtype=np.int64)
    tags[find_rows(layout.firsts, layout.lengths)] = [
        tag for piece, units in zip(pieces, evidence.units, strict=True) for tag in encode_tags(piece.spans, units, themes.types)
    ]
    tagged = TaggedTexts(numbered, tags, layout.firsts, layout.lengths, n_columns=len(columns), n_tags=2 * len(themes.types) + 1)
    with threadpool_limits(1):  # the matrices of a batch are small: threads would wait for one another
        chain, candidates = _learn_in_turns(evidence.texts, tagged, seed)
    is_right = [LabelledSpan(start, end, kind) in pieces[text].spans for text, start, end, kind in evidence.place(candidates)]
    judge = learn_judge(
        evidence.describe_candidates(candidates), np.array(is_right, dtype=bool), candidates.text, sum(len(one.spans) for one in pieces)
    )
    return EntityModel(card | {"types": list(themes.types)}, columns, chain, judge, gazetteer, themes)


def _learn_in_turns(texts: Sequence[str], tagged: TaggedTexts, seed: int) -> tuple[Chain, Candidates]:
    """Return a chain with the mean weights of five, and what each of them found in the fifth of the texts that it did not see."""
    places = {text: place for place, text in enumerate(dict.fromkeys(texts))}
    fold_of = np.random.default_rng(seed).permutation(len(places)) % _FOLDS
    folds = fold_of[[places[text] for text in texts]]
    weights = np.zeros((tagged.n_columns, tagged.n_tags), dtype=np.float32)
    transitions = np.zeros((tagged.n_tags, tagged.n_tags))
    found = []
    for fold in range(_FOLDS):
        held = np.flatnonzero(folds == fold)
        chain = learn_chain(tagged, np.flatnonzero(folds != fold), seed=seed + fold)
        weights += chain.weights / _FOLDS
        transitions += chain.transitions / _FOLDS
        own = chain.find(tagged.columns, tagged.firsts[held], tagged.lengths[held])
        found.append(own._replace(text=held[own.text]))
    return Chain(weights.astype(np.float16).astype(np.float32), transitions), join_candidates(found)


def _cut_example(row: AnnotatedText) -> Iterator[AnnotatedText]:
    """Yield an example as it will be read; an entity that the cut between two sentences goes through is lost."""
    for start, piece in cut_pieces(prepare(row.text)):
        inside = [span for span in row.spans if start <= span.start and span.end <= start + len(piece)]
        yield AnnotatedText(piece, tuple(LabelledSpan(span.start - start, span.end - start, span.type) for span in inside))


def _check_examples(texts: Sequence[str], spans: Sequence[Sequence[LabelledSpan]]) -> list[AnnotatedText]:
    if len(texts) != len(spans):
        raise InputError(f"There are {len(texts)} texts and the entities of {len(spans)}; give one list of entities for each text.")
    if len(texts) < _FEWEST_ROWS:
        raise InputError(f"There are {len(texts)} examples; at least {_FEWEST_ROWS} are needed to learn entities and to measure it.")
    rows = [AnnotatedText(text, tuple(sorted(LabelledSpan(*span) for span in own))) for text, own in zip(texts, spans, strict=True)]
    if not any(row.spans for row in rows):
        raise InputError("None of the examples has an entity; annotate some, at least a few of each type.")
    return rows


def _split(rows: Sequence[AnnotatedText], seed: int) -> tuple[list[AnnotatedText], list[AnnotatedText]]:
    """Return the rows to learn from and those held back; which is which hangs on the text alone."""
    ratio = _HELD_BACK if len(rows) >= _FEW_ROWS else _HELD_BACK_OF_FEW
    keys = [hashlib.sha256(f"{seed} {row.text}".encode("utf-8", "surrogatepass")).digest() for row in rows]
    limit = sorted(keys)[max(1, round(len(rows) * ratio)) - 1]
    learnt = [row for row, key in zip(rows, keys, strict=True) if key > limit]
    held_back = [row for row, key in zip(rows, keys, strict=True) if key <= limit]
    if not any(row.spans for row in learnt):
        raise InputError("All annotated examples fell among the rows held back to measure; annotate more rows.")
    return learnt, held_back


def _fingerprint(rows: Sequence[AnnotatedText]) -> str:
    digest = hashlib.sha256()
    for row in rows:
        digest.update(repr(row).encode("utf-8", "surrogatepass"))
    return digest.hexdigest()
