"""Values of secrets in what attempts leave: found in each form that programs write them in, wherever they stand."""

import base64
import json
from pathlib import Path
from urllib.parse import quote, quote_plus

from hypothesis import given, strategies as st

from punchlist.workers.masking import forms_of, held_back, mask_file, mask_folder, masked

VALUES = st.text(st.characters(codec="utf-8", exclude_characters="\0*"), min_size=4, max_size=40).filter(
    lambda value: len(value.strip()) > 3
)
AROUND = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=20)


@given(VALUES, AROUND, AROUND)
def test_no_form_of_a_value_is_left_and_no_byte_moves(value: str, before: str, after: str) -> None:
    forms = forms_of([value])
    for written in (value, json.dumps(value), json.dumps(value, ensure_ascii=False), quote(value), quote_plus(value)):
        data = f"{before}{written}{after}".encode()

        covered = masked(data, forms)

        assert len(covered) == len(data)
        assert written.strip('"').strip().encode() not in covered
        assert masked(covered, forms) == covered


@given(st.binary(max_size=5), VALUES.filter(lambda value: len(value.encode()) > 8), st.binary(max_size=5))
def test_base64_of_a_text_around_it_does_not_give_a_value_away(before: bytes, value: str, after: bytes) -> None:
    whole = before + value.encode() + after
    encoded = base64.b64encode(whole)

    covered = masked(encoded, forms_of([value]))

    assert base64.b64decode(covered.replace(b"*", b"A")).find(value.encode()) < 0
    assert covered.count(b"*") >= len(value.encode()) * 8 // 6 - 2


@given(VALUES, st.integers(min_value=0, max_value=200))
def test_what_may_be_the_beginning_of_a_value_is_held_back(value: str, cut: int) -> None:
    forms, whole = forms_of([value]), f"before {value}".encode()
    seen = whole[: min(cut, len(whole) - 1)]

    shown = masked(seen, forms)[: len(seen) - held_back(seen, forms)]

    assert b"before ".startswith(shown) or shown.rstrip(b"*") in {b"before ", b"before"}


def test_each_long_line_of_a_value_is_looked_for_by_itself() -> None:
    forms = forms_of(["-----BEGIN-----\nMIIEpAIBAAKC\nab\n"])

    assert masked(b"one: MIIEpAIBAAKC, ab", forms) == b"one: ************, ab"


def test_nothing_to_hide_leaves_data_as_it_is() -> None:
    data = b"plain"

    assert masked(data, forms_of(["secret"])) is data
    assert forms_of([""]) == ()
    assert held_back(b"secre", forms_of([])) == 0


def test_files_are_covered_where_they_lie_and_links_are_not_followed(tmp_path: Path) -> None:
    (tmp_path / "io" / "deep").mkdir(parents=True)
    inside, outside = tmp_path / "io" / "deep" / "file", tmp_path / "outside"
    inside.write_bytes(b"x" * 3_000_000 + b"the secret" + b"y" * 10)
    outside.write_bytes(b"the secret")
    (tmp_path / "io" / "link").symlink_to(outside)
    (tmp_path / "io" / "empty").touch()
    number = inside.stat().st_ino

    mask_folder(tmp_path / "io", forms_of(["the secret"]))
    mask_folder(tmp_path / "io", ())
    mask_file(tmp_path / "nowhere", forms_of(["the secret"]))

    assert inside.read_bytes() == b"x" * 3_000_000 + b"*" * 10 + b"y" * 10
    assert (inside.stat().st_ino, outside.read_bytes()) == (number, b"the secret")


def test_folders_are_looked_into_to_a_depth(tmp_path: Path) -> None:
    deepest = tmp_path.joinpath(*"abcdefghijkl")
    deepest.mkdir(parents=True)
    (deepest / "file").write_bytes(b"the secret")

    mask_folder(tmp_path, forms_of(["the secret"]))

    assert (deepest / "file").read_bytes() == b"the secret"
