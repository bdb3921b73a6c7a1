import pytest

from punchlist.errors import DefinitionError
from punchlist.flow.shell import bind, refusals
from punchlist.flow.templates import FlawError


def bound(command: str, value: object = "v") -> tuple[str, dict[str, str]]:
    return bind(command, lambda _: value)  # type: ignore[arg-type,return-value]


@pytest.mark.parametrize(
    ("command", "text"),
    [
        ("echo ${{ x }}", 'echo "${PUNCHLIST_V0}"'),
        ("echo a${{ x }}b", 'echo a"${PUNCHLIST_V0}"b'),
        ('echo "a ${{ x }} b"', 'echo "a ${PUNCHLIST_V0} b"'),
        ("a=${{ x }}; (echo ${{ x }})", 'a="${PUNCHLIST_V0}"; (echo "${PUNCHLIST_V1}")'),
        ("echo 'it' ${{ x }}", "echo 'it' \"${PUNCHLIST_V0}\""),
        ("echo don\\'t ${{ x }}", 'echo don\\\'t "${PUNCHLIST_V0}"'),
        ('echo "\\"${{ x }}"', 'echo "\\"${PUNCHLIST_V0}"'),
        ("echo $(ls 'a)' \")\" (b)) ${{ x }}", 'echo $(ls \'a)\' ")" (b)) "${PUNCHLIST_V0}"'),
        ("echo `ls 'a` ${{ x }}", 'echo `ls \'a` "${PUNCHLIST_V0}"'),
        ('echo "`ls`${{ x }}"', 'echo "`ls`${PUNCHLIST_V0}"'),
        ("echo $((1 << (2))) ${{ x }}", 'echo $((1 << (2))) "${PUNCHLIST_V0}"'),
        ("echo ${A:-'}'} ${{ x }}", "echo ${A:-'}'} \"${PUNCHLIST_V0}\""),
        ('echo "${A:-it\'s}" ${{ x }}', 'echo "${A:-it\'s}" "${PUNCHLIST_V0}"'),
        ("cat <<< ${{ x }}", 'cat <<< "${PUNCHLIST_V0}"'),
        ("cat <<E\n'\nE\necho ${{ x }}", 'cat <<E\n\'\nE\necho "${PUNCHLIST_V0}"'),
        (
            "cat <<-'E F' > ${{ x }}\n`\n\tE F\necho ${{ x }}",
            'cat <<-\'E F\' > "${PUNCHLIST_V0}"\n`\n\tE F\necho "${PUNCHLIST_V1}"',
        ),
        ("cat <<E\nnever ends", "cat <<E\nnever ends"),
        ("# it's ${{ x }}\necho ${{ x }}", '# it\'s "${PUNCHLIST_V0}"\necho "${PUNCHLIST_V1}"'),
        ("echo a#'b' ${{ x }}", "echo a#'b' \"${PUNCHLIST_V0}\""),
        ("case a in a) echo ${{ x }};; esac", 'case a in a) echo "${PUNCHLIST_V0}";; esac'),
        ("echo $${{ x }}", "echo ${{ x }}"),
    ],
)
def test_a_reference_takes_the_place_of_an_expression_quoted_as_the_place_needs(command: str, text: str) -> None:
    found, values = bound(command)

    assert found == text
    assert set(values.values()) <= {"v"}
    assert list(values) == [f"PUNCHLIST_V{index}" for index in range(len(values))]


@pytest.mark.parametrize(
    ("command", "place"),
    [
        ("echo '${{ x }}'", "single quotes"),
        ("echo $(echo ${{ x }})", "a command substitution"),
        ('echo "$(echo "${{ x }}")"', "a command substitution"),
        ("echo `echo ${{ x }}`", "a command substitution"),
        ("echo $((1 + ${{ x }}))", "an arithmetic expansion"),
        ("echo ${A:-${{ x }}}", "a ${…} expansion"),
        ('echo "${A:-${{ x }}}"', "a ${…} expansion"),
        ("cat <<E\n${{ x }}\nE", "a here-document"),
        ("cat <<${{ x }}\nE", "a here-document"),
        ("cat <<E; cat <<F\nE\n${{ x }}\nF", "a here-document"),
        ("echo \\${{ x }}", "a backslash escape"),
        ("echo $'a' ${{ x }}", "a place after $'…', which shells read differently,"),
        ("echo $'${{ x }}'", "single quotes"),
        ("echo 'open ${{ x }}", "single quotes"),
    ],
)
def test_an_expression_is_refused_where_no_reference_is_safe(command: str, place: str) -> None:
    found = refusals(command)

    assert [flaw.message for flaw in found] == [f"an expression cannot stand in {place} of a command"]
    assert found[0].hint == "Give the value by `env:`, or write the command as a list."
    assert command[found[0].offset] == "x"
    with pytest.raises(DefinitionError, match="Give the value by `env:`"):
        bound(command)


@pytest.mark.parametrize(
    ("value", "text"), [("", ""), (3, "3"), (True, "true"), (1.5, "1.5"), ("a b\n'\"$(x)`y`\\", "a b\n'\"$(x)`y`\\")]
)
def test_a_value_is_given_by_the_environment_and_never_by_the_command(value: object, text: str) -> None:
    assert bound("echo ${{ x }}", value) == ('echo "${PUNCHLIST_V0}"', {"PUNCHLIST_V0": text})


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (None, "null, which cannot stand inside text"),
        ([1], "a list, which cannot stand"),
        ("a\0b", "zero character"),
        ("\ud800", "lone surrogate"),
        ("x" * 200_000, "has 200000 bytes, too many"),
    ],
)
def test_a_value_that_no_variable_can_hold_is_refused(value: object, message: str) -> None:
    with pytest.raises(DefinitionError, match=message):
        bound("echo ${{ x }}", value)


def test_a_command_that_cannot_be_read_is_refused() -> None:
    with pytest.raises(DefinitionError, match="not closed"):
        bound("echo ${{ x")
    with pytest.raises(FlawError, match="zero character"):
        refusals("echo \0")
