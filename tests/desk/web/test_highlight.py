"""Marking a customer's words: whatever they wrote, it comes out as text."""

from careloop.desk.web.highlight import Mark, highlight, marks_of


def test_marks_enclose_exactly_their_characters():
    marked = highlight("热水器漏水了", [Mark(3, 5, "neg", "Speaks for negative")])
    assert marked == '热水器<mark class="neg" title="Speaks for negative">漏水</mark>了'


def test_hostile_text_stays_text_inside_and_outside_of_marks():
    text = '<script>x</script> & "</mark>'
    assert highlight(text, [Mark(0, 8, "neg")]) == ('<mark class="neg">&lt;script&gt;</mark>x&lt;/script&gt; &amp; &quot;&lt;/mark&gt;')


def test_hostile_style_and_title_stay_attributes():
    assert highlight("ab", [Mark(0, 1, '"><b', "'\"><i>")]) == '<mark class="&quot;&gt;&lt;b" title="&#x27;&quot;&gt;&lt;i&gt;">a</mark>b'


def test_overlapping_marks_share_flat_elements():
    marked = highlight("abcdef", [Mark(0, 4, "neg", "N"), Mark(2, 6, "ent", "E")])
    assert marked == (
        '<mark class="neg" title="N">ab</mark><mark class="neg ent" title="N · E">cd</mark><mark class="ent" title="E">ef</mark>'
    )


def test_the_same_stretch_twice_is_marked_once():
    assert highlight("ab", [Mark(0, 1, "neg"), Mark(0, 1, "neg")]) == '<mark class="neg">a</mark>b'


def test_marks_outside_of_the_text_or_turned_around_are_left_out():
    assert highlight("ab", [Mark(-1, 1, "neg"), Mark(1, 9, "neg"), Mark(2, 1, "neg"), Mark(1, 1, "neg")]) == "ab"


def test_offsets_count_characters_beyond_the_basic_plane_once():
    assert highlight("😀漏水", [Mark(1, 3, "neg")]) == '😀<mark class="neg">漏水</mark>'


def test_empty_text_is_empty():
    assert highlight("", [Mark(0, 1, "neg")]) == ""


def reading(**facts):
    return {
        "sentiment_abstained": False,
        "sentiment_evidence": [[0, 2, -1.5], [3, 5, 0.8]],
        "kind_abstained": False,
        "kind_evidence": [[6, 8, 1.0], [9, 10, -0.4]],
        "entities": [{"type": "amount", "text": "¥9", "start": 11, "end": 13, "value": "9"}],
        **facts,
    }


def test_a_reading_marks_what_speaks_for_and_against_and_its_facts():
    assert [(mark.start, mark.end, mark.style) for mark in marks_of(reading())] == [
        (0, 2, "neg"),
        (3, 5, "pos"),
        (6, 8, "kind"),
        (11, 13, "ent"),
    ]


def test_a_decision_that_was_not_taken_marks_nothing():
    assert [mark.style for mark in marks_of(reading(sentiment_abstained=True, kind_abstained=True))] == ["ent"]
    assert marks_of({}) == []
