"""Variables in texts to customers."""

from careloop.desk.kernel.variables import put, variables_of


def test_names_are_found_once_in_their_order_spaces_or_not():
    assert variables_of("{{ b }} {{a.c}} {{b}} {d} {{{{e}}}}") == ["b", "a.c", "e"]


def test_values_stand_as_letters_and_what_has_none_stays():
    values = {"a": "{{b}}", "b": r"\1"}
    assert put("{{a}} {{ b }} {{ c }}", values.get) == r"{{b}} \1 {{ c }}"
