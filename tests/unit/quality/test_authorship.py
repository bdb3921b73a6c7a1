"""Which checks a step wrote itself, so that a reviewer has to look at them under `review: uncovered`."""

import pytest

from punchlist.quality.authorship import wrote_check


@pytest.mark.parametrize(
    ("command", "path"),
    [
        ("pytest tests/test_new.py", "tests/test_new.py"),
        ("pytest tests/test_new.py::test_a", "tests/test_new.py"),
        ("python3 -m unittest tests.test_new.Case", "tests/test_new.py"),
        ("python3 -m unittest tests", "tests/test_new.py"),
        ("pytest ./tests/", "tests/unit/test_new.py"),
        ("pytest tests/test_*.py", "tests/test_new.py"),
        ("cd sub && pytest tests", "sub/tests/test_new.py"),
        ("cd sub/deep; pytest ../tests", "sub/tests/test_new.py"),
        ("pytest --rootdir=tests -q -k new", "tests/test_new.py"),
        ("env CI=1 timeout -k 5 60 pytest -q", "tests/test_new.py"),
        ("python -m pytest -q", "tests/test_new.py"),
        ("go test ./...", "pkg/a_test.go"),
        ("go test ./pkg/...", "pkg/a_test.go"),
        ("npm test", "src/a.test.ts"),
        ("python app.py | diff - tests/expected.txt", "tests/expected.txt"),
    ],
)
def test_a_step_that_changed_the_tests_of_a_check_wrote_it(command: str, path: str) -> None:
    assert wrote_check(command, [path])


@pytest.mark.parametrize(
    ("command", "path"),
    [
        ("sh checks/run.sh", "checks/run.sh"),
        ("sh -c 'sh checks/run.sh'", "checks/run.sh"),
        ("bash -eu -- checks/run.sh fast", "checks/run.sh"),
        ("./checks/run.sh", "checks/run.sh"),
        ("CI=1 ./checks/run.sh", "checks/run.sh"),
        ("cd checks && ./run.sh", "checks/run.sh"),
        (". checks/run.sh", "checks/run.sh"),
        ("if true\nthen sh checks/run.sh\nfi", "checks/run.sh"),
        ("python app.py --selftest", "app.py"),
        ("python3.12 -u app.py", "app.py"),
        ("python -m app.check", "app/check.py"),
        ("python -m app", "app/__main__.py"),
        ("sh <checks/run.sh 2>&1", "checks/run.sh"),
        ("make new", "Makefile"),
        ("make -f build.mk new", "build.mk"),
        ("sh checks/run.sh <<EOF\nit's open\nEOF", "checks/run.sh"),
    ],
)
def test_a_step_that_changed_the_program_whose_answer_is_the_checks_wrote_it(command: str, path: str) -> None:
    assert wrote_check(command, ["README.md", path])


@pytest.mark.parametrize(
    ("command", "path"),
    [
        ("grep -q allow_unicode README.md", "README.md"),
        ("test -f docs/page.md", "docs/page.md"),
        ("python app.py | grep -q hi", "app.py"),
        ("sh -c 'python app.py' | grep -q hi", "app.py"),
        ('[ "$(python app.py)" = hi ]', "app.py"),
        ('python -c "from slugger import slugify"', "slugger/__init__.py"),
        ("node -e 'require(\"./app\")'", "app.js"),
        ("pytest tests/test_old.py", "tests/test_new.py"),
        ("pytest tests/test_old.py", "tests/test_older.py"),
        ("pytest tests", "src/a.py"),
        ("pytest tests", "tests2/a.py"),
        ("pytest ../tests", "src/test_a.py"),
        ("sh other.sh", "checks/run.sh"),
        ("make", "build.mk"),
        ("make test", "tests/test_new.py"),
        ("echo data", "a"),
        ("cd", "cd"),
        ("python", "python"),
        ("timeout 60", "60"),
        ("", "a"),
    ],
)
def test_a_step_that_changed_what_a_check_looks_at_did_not_write_it(command: str, path: str) -> None:
    assert not wrote_check(command, [path])
