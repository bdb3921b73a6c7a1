import pytest

from punchlist.errors import DefinitionError
from punchlist.flow.inputs import bind_inputs
from punchlist.model.flow import Input
from punchlist.model.json import Json

DECLARED = {
    "name": Input(type="string"),
    "count": Input(type="int", default=1, min=0, max=9),
    "ratio": Input(type="float", default=0.5),
    "mode": Input(type="enum", values=("fast", "safe"), default="safe"),
    "any": Input(default=None),
}


def test_inputs_that_are_not_given_have_their_defaults() -> None:
    assert bind_inputs(DECLARED, {"name": "x", "ratio": 2}, what="the inputs") == {
        "name": "x",
        "count": 1,
        "ratio": 2,
        "mode": "safe",
        "any": None,
    }


def test_all_inputs_that_do_not_fit_are_told_at_once() -> None:
    given: dict[str, Json] = {"count": 10, "ratio": True, "mode": "slow", "coun": 1}

    with pytest.raises(DefinitionError) as caught:
        bind_inputs(DECLARED, given, what="the inputs")

    assert str(caught.value).splitlines() == [
        "the inputs has 5 problems:",
        "  inputs.coun: there is no such input; allowed: name, count, ratio, mode, any. Did you mean 'count'?",
        "  inputs.name: it must be given; allowed: string",
        "  inputs.count: it is 10; allowed: int from 0 to 9",
        "  inputs.ratio: it is a bool; allowed: float",
        "  inputs.mode: it is 'slow'; allowed: fast, safe",
    ]


@pytest.mark.parametrize(
    ("kind", "fits", "misfits"),
    [
        ("string", "x", 1),
        ("int", 1, 1.5),
        ("int", 0, True),
        ("float", 1, "1"),
        ("bool", True, 1),
        ("path", "a/b", []),
        ("list", [], {}),
        ("map", {}, []),
        ("task", {"id": "T1"}, "T1"),
        ("string", "", None),
    ],
)
def test_a_value_fits_its_declared_type_or_is_refused(kind: str, fits: Json, misfits: Json) -> None:
    declared = {"v": Input(type=kind)}  # type: ignore[arg-type]

    assert bind_inputs(declared, {"v": fits}, what="inputs") == {"v": fits}
    with pytest.raises(DefinitionError):
        bind_inputs(declared, {"v": misfits}, what="inputs")
