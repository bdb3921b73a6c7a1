"""Whether one sentence asks for something, by its words alone: what must be, what people can do, orders, measures."""

import re

from punchlist.quality.stating import states

_WORD = re.compile(r"\w+")
_MARKS = " \t\"'`*_(["
_ASKS = re.compile(
    r"\b(?:must|shall|should|may not|can not|cannot|never|always|only|required?|(?:has|have|needs?|is|are) to"
    r"|(?:we|i) (?:also )?(?:need|want)"
    r"|(?:no|nobody|no one|nothing|none|neither)\b[^,;:.]{0,60}? may)\b",
    re.IGNORECASE,
)
_OF_ITSELF = re.compile(
    r"(?:this|the following) (?:chapter|document|file|list|note|page|proposal|section|spec|specification|table|text)\b",
    re.IGNORECASE,
)
_BINDS = re.compile(r"\b(?:must|shall)\b", re.IGNORECASE)
_PEOPLE = (
    "admins? administrators? anybody anyone authors? buyers? callers? clerks? clients? customers? developers? editors? "
    "everybody everyone guests? managers? members? operators? owners? people players? readers? reviewers? sellers? "
    "somebody someone staff students? teachers? users? visitors? writers?"
).replace(" ", "|")
_CAN = re.compile(
    rf"\b(?:{_PEOPLE})\b[^,;:.]{{0,60}}?\b(?:can|may|wants? to|(?:is|are|will be|should be) able to)\b"
    r"|^as an? [^,]{1,40}, i (?:can|want|need)\b",
    re.IGNORECASE,
)
_LEAD = re.compile(
    r"(?:please|also|then|next|finally|and|do not|don['\N{RIGHT SINGLE QUOTATION MARK}]t)[,:]? ", re.IGNORECASE
)
_CONDITION = re.compile(
    r"(?:if|when|whenever|where|while|for|in|on|at|before|after|unless|once|until|with|without) [^,;:]{1,160}, "
    r"(?:then )?",
    re.IGNORECASE,
)
_ORDERS = frozenset(
    _WORD.findall(
        "accept add adjust allow append apply attach avoid block bring build change check choose clear close "
        "collect compute connect convert count create cut deduplicate define delete deny describe disable do drop "
        "edit enable encode ensure expose extend extract fail find fix forbid forget format generate give handle "
        "hide highlight ignore implement improve include increase insert install introduce invite keep lead leave "
        "let list load lock lower make mask measure merge migrate mount move notify number offer omit open parse "
        "pause pick prefer prevent print produce protect provide publish put quote raise read record redirect "
        "reduce refuse reject remember remove rename render repeat replace reply reset respond restore retry "
        "return reuse run save say scan select send separate serve set show skip sort speed split start stay stop "
        "store strip support switch take tell translate trim turn undo update upgrade upload use validate verify "
        "wait warn wrap write"
    )
)
_NOUNS_TOO = frozenset(
    _WORD.findall(
        "answer back cache cap colour color copy display document download export filter group import index limit "
        "link log map mark match order page plan point process query report request search sign sync tag test "
        "track watch"
    )
)
_VERB_AFTER = re.compile(
    r"(?:is|are|was|were|has|have|had|does|do|did|can|will|would|could|might|come|comes)\b", re.IGNORECASE
)
_NOUN_AFTER = 2


def asks(sentence: str) -> bool:
    """Say whether a sentence of running text asks for something; a question never does.

    It does with a word such as must, should, never, only or has to; where it is an order, that begins with its verb
    ("Add", "Do not log"), also after a condition ("If two match, keep"); where it says what people can do; or where it
    states what can be measured ("Answers come within 200 ms": see `states`). What a text says of itself ("This page
    says what …") asks for nothing unless it binds.
    """
    if is_question(sentence) or (_OF_ITSELF.match(sentence.lstrip(_MARKS)) and not binds(sentence)):
        return False
    said = _ASKS.search(sentence) or _CAN.search(sentence.lstrip(_MARKS))
    return bool(said) or _is_order(sentence) or states(sentence)


def is_question(sentence: str) -> bool:
    """Say whether a sentence ends as questions do."""
    return sentence.rstrip(_MARKS + ")]").endswith("?")


def binds(sentence: str) -> bool:
    """Say whether a sentence says must or shall, which is meant wherever it stands."""
    return bool(_BINDS.search(sentence))


def _is_order(sentence: str) -> bool:
    """Say whether a sentence begins with its verb.

    A word that is a noun as well is taken for one where a verb follows soon: "Log every try", but "Log files are big".
    """
    rest = _CONDITION.sub("", sentence.lstrip(_MARKS), count=1)
    while (lead := _LEAD.match(rest)) is not None:
        rest = rest[lead.end() :]
    first, *others = rest.split()[: _NOUN_AFTER + 1] or [""]
    verb = first.lower().rstrip(_MARKS + ",")
    followed = any(_VERB_AFTER.fullmatch(each) for each in others)
    return verb in _ORDERS | _NOUNS_TOO and not followed
