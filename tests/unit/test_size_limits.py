"""The size limits: what they count, what they refuse."""

from pathlib import Path

import pytest

from tools.size_limits import FUNCTION_LINES, MODULE_LINES, check, main, measure

HERE = Path("src/thing.py")


def function(name: str, lines: int) -> str:
    """Write a function of so many lines, all in all."""
    return f"def {name}():\n" + "    x = 1\n" * (lines - 1)


def test_a_module_of_the_longest_size_passes() -> None:
    assert measure(HERE, "x = 1\n" * MODULE_LINES).problems == []


def test_a_longer_module_is_refused() -> None:
    (problem,) = measure(HERE, "x = 1\n" * (MODULE_LINES + 1)).problems

    assert problem == "src/thing.py:1: the module has 501 lines, at most 500; split it by concept"


def test_a_docstring_and_decorators_do_not_count() -> None:
    source = '@first\n@second\ndef read():\n    """Read.\n\n    More.\n    """\n    return 1\n'

    assert measure(HERE, source).lengths == [2]


def test_a_function_of_the_longest_size_passes() -> None:
    assert measure(HERE, function("read", FUNCTION_LINES)).problems == []


@pytest.mark.parametrize("head", ["", "async "])
def test_a_longer_function_is_refused(head: str) -> None:
    (problem,) = measure(HERE, head + function("read", FUNCTION_LINES + 1)).problems

    assert problem == "src/thing.py:1: 'read' has 51 lines, at most 50"


@pytest.mark.parametrize("name", ["process_task", "do_it", "parse_v2", "parse_old"])
def test_a_vague_function_is_refused(name: str) -> None:
    (problem,) = measure(HERE, function(name, 2)).problems

    assert f"'{name}' is a vague name" in problem


@pytest.mark.parametrize("name", ["TaskManager", "TaskHandler", "TaskInfo", "TaskData"])
def test_a_vague_class_is_refused(name: str) -> None:
    (problem,) = measure(HERE, f"class {name}:\n    x = 1\n").problems

    assert f"'{name}' is a vague name" in problem


@pytest.mark.parametrize("name", ["utils", "helpers", "common", "base", "manager"])
def test_a_vague_module_is_refused(name: str) -> None:
    (problem,) = measure(Path(f"src/{name}.py"), "").problems

    assert f"'{name}' says nothing" in problem


def test_the_median_is_of_the_source_alone(tmp_path: Path) -> None:
    for folder in ("src", "tests"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "thing.py").write_text(function("read", 9 if folder == "src" else 40), encoding="utf-8")

    assert check([tmp_path]) == []


def test_a_high_median_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "thing.py").write_text(function("read", 10), encoding="utf-8")

    assert main([str(tmp_path)]) == 1
    assert capsys.readouterr().out == "src: the median function has 10 lines, it must stay under 10\n"


def test_good_files_say_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "thing.py").write_text(function("read", 3), encoding="utf-8")

    assert main([str(tmp_path / "thing.py")]) == 0
    assert capsys.readouterr().out == "sizes and names: good\n"
