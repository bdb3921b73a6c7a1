"""Reading SQL files into statements."""

import pytest

from punchlist.store.statements import named, split


def test_statements_are_found_by_name_without_comments() -> None:
    text = "-- About all.\n\n-- name: one\nselect 1;\n\n-- Why two.\n-- name: two\nselect 2\nfrom x;\n"

    assert named(text) == {"one": "select 1;", "two": "select 2\nfrom x;"}


def test_two_statements_of_one_name_are_a_fault_of_the_file() -> None:
    with pytest.raises(ValueError, match="one"):
        named("-- name: one\nselect 1;\n-- name: one\nselect 2;\n")


def test_a_script_is_split_at_the_ends_of_its_statements() -> None:
    trigger = "create trigger t after insert on x begin\n  select ';';\n  select 2;\nend;"

    assert list(split(f"-- A comment; with a semicolon.\ncreate table x (a text);\n{trigger}\n")) == [
        "create table x (a text);",
        trigger,
    ]
