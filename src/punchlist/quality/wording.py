"""Whether criteria speak of a sentence: by half of its words, and by a word of denial where it forbids something."""

import re
from collections.abc import Sequence
from typing import NamedTuple

_WORD = re.compile(r"[^\W_]+(?:'[^\W_]+)?")
_ENDINGS = ("ings", "ing", "ies", "ied", "ers", "er", "ed", "es", "ly", "s", "y", "e")
_STEM = 3
_SILENT = frozenset(
    _WORD.findall(
        "a about add all allow also always an and any are as at be been being by can cannot could do does don't done "
        "each ensure every everything for from give has have how if implement in into introduce is it its let make may "
        "more must never no not of on one only or other out over please provide required shall should so some such "
        "support sure than that the their them then there these they this those to too under until up use used using "
        "via was were what when where which while who will with within without would you your"
    )
)
_CLAUSE = re.compile(
    r"\b(?:if|when|whenever|where|whether|unless|until|which|who|whose|because|(?<!sure )(?<!ensure )that)\b[^,;:]*",
    re.IGNORECASE,
)
_ASIDE = re.compile(r"(?:\b(?:because|instead of|rather than)|, since)\b[^,;:]*", re.IGNORECASE)
_BOUND = re.compile(r"\b(?:no (?:more|longer|later|less|fewer|earlier) than|not only|or not|not just)\b", re.IGNORECASE)
_FORBIDS = re.compile(
    r"\b(?:not|never|no|none|nobody|nothing|cannot|nor)\b|n['\N{RIGHT SINGLE QUOTATION MARK}]t\b", re.IGNORECASE
)
_DENIES = re.compile(
    _FORBIDS.pattern + r"|\b(?:without|only|absent|empty|free of|gone|missing|unchanged|untouched|zero|0)\b"
    r"|\b(?:avoid|block|den[iy]|drop|error|exclud|fail|forb|hid|ignor|mask|omit|prevent|redact|refus|reject|remov|skip|"
    r"strip|unaffected)\w*|\b\w*(?:Error|Exception)\b|(?:^|[\s;&|(])!|\bgrep -\w*v",
    re.IGNORECASE,
)


class Spoken(NamedTuple):
    """The words of criteria that belong together: all of them, and those of the criteria that deny something."""

    words: frozenset[str]
    denying: frozenset[str]


def words(text: str) -> frozenset[str]:
    """Return the words that carry a text's meaning, without endings: those of three letters and more that say what."""
    found = (word.lower().removesuffix("'s") for word in _WORD.findall(text.replace("_", " ")))
    return frozenset(_stem(word) for word in found if len(word) >= _STEM and word not in _SILENT)


def spoken(criteria: Sequence[str]) -> Spoken:
    """Return what criteria speak of, each given by its text and its check."""
    deny = (each for each in criteria if _DENIES.search(each))
    return Spoken(words(" ".join(criteria)), words(" ".join(deny)))


def names(criteria: Spoken, sentence: str) -> bool:
    """Say whether criteria speak of a sentence: half of its words, or more, are theirs; its reasons do not count.

    Of a sentence that forbids something only what denies speaks: "It logs passwords" says nothing of "It must never log
    passwords", though it has all of its words.
    """
    asked = words(_ASIDE.sub(" ", sentence)) or words(sentence)
    said = criteria.denying if forbids(sentence) else criteria.words
    return 2 * len(asked & said) >= len(asked)


def forbids(sentence: str) -> bool:
    """Say whether a sentence forbids something: it has a word such as not, never or no where it says what must be.

    A condition ("if it is not there, …"), a description ("a name that is not known") and a bound ("no more than") do
    not count.
    """
    return bool(_FORBIDS.search(_BOUND.sub(" ", _CLAUSE.sub(" ", sentence))))


def _stem(word: str) -> str:
    for ending in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= _STEM:
            return word.removesuffix(ending)
    return word
