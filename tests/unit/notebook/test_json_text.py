import pytest

from nbmlops.notebook.json_text import Member, items_of, last_of, members_of, root_of


def test_members_and_items_of_any_layout():
    text = '\ufeff \n{"a\\"":\t[ 1,\n{"b": "]"} , "c" ] ,"d":{},"a\\"" : null}\n'
    root = root_of(text)
    members = list(members_of(text, root))
    assert [(member.key, text[member.start : member.end]) for member in members] == [
        ('a"', '[ 1,\n{"b": "]"} , "c" ]'),
        ("d", "{}"),
        ('a"', "null"),
    ]
    assert [text[place] for place in items_of(text, members[0].start)] == ["1", "{", '"']
    assert last_of(members, 'a"') == members[2]
    assert last_of(members, "x") is None


@pytest.mark.parametrize("text", ["{}", "{ }", "{\n}"])
def test_empty_objects(text):
    assert list(members_of(text, 0)) == []


def test_places_of_a_member():
    assert list(members_of('{"k" : 1}', 0)) == [Member("k", 1, 4, 7, 8)]
