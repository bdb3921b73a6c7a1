"""Whether one sentence states what will hold, as a fact that can be measured: within 200 ms, at most 50 rows, UTF-8."""

import re

_DIGITS = r"[0-9](?:[0-9.,_]{0,15}[0-9])?"
_WORDS = "two|three|four|five|six|seven|eight|nine|ten|twelve|fifteen|twenty|thirty|sixty"
_COUNT = rf"(?:{_DIGITS}|an?|one|{_WORDS}|half an?|an? (?:hundred|thousand|million)|hundred|thousand)"
_TIME = (
    "[\N{MICRO SIGN}mn]?s|(?:milli|micro)?seconds?|min(?:utes?)?|h|hours?|(?:working )?days?|weeks?|months?|years?"
    "|[kMG]?Hz"
)
_SIZE = "[kKMGT]i?B|(?:kilo|mega|giga)?bytes?|bits?|characters?|letters?|digits?|words?|decimals?|(?:decimal )?places"
_NUMBER_OF = (
    "lines?|rows?|columns?|pages?|items?|entries|entry|elements?|results?|records?|files?|requests?|retries|attempts?|tries"
    "|times|connections?|threads?|processes|levels?"
)
_MEASURE = "pixels?|px|dpi|fps|kg|g|mm|cm|pence|cents?|euros?|dollars?|per ?cent|%"
_UNIT = rf"(?:{_TIME}|{_SIZE}|{_NUMBER_OF}|{_MEASURE})(?![\w-])"
_FORM = (
    r"(?:UTF-(?:8|16)|ASCII|Unicode|JSON|NDJSON|CSV|TSV|YAML|TOML|XML|HTML|PDF|PNG|SVG|markdown|base64|UTC|CRLF|LF|TLS"
    r"|ISO[ -]?[0-9]{3,5}|RFC ?[0-9]{3,5}|SHA-?[0-9]{1,3})(?!\w)"
)
_MORE = "more|less|fewer|later|longer|earlier|larger|smaller|bigger"
_BEFORE_A_MEASURE = (
    "(?<!takes )(?<!take )up to|under|below|over|above|less than|fewer than|more than|faster than|for|of|after|every"
    "|lasts?|waits?|stays?|keeps?|holds?|shows?|is|are|to|by|in"
)
_GIVES = (
    "is|are|defaults? to|returns?|answers?(?: with)?|(?:responds?|exits?|ends?) with|gives?|yields?|(?:exit )?code"
    "|status"
)
_LACKS = "has|have|contains?|holds?|leaves?|logs?|sends?|writes?"
_NO_LACK = "documentation|idea|means|notion|support|tests?|time|way"
_BOUND = rf"\b(?:at (?:the )?(?:most|least)|(?:no|not) (?:{_MORE}) than|exactly) {_COUNT}\b"
_IN_TIME = rf"\bwithin {_COUNT} ?{_UNIT}"
_WITH_UNIT = rf"(?<!^)\b(?:{_BEFORE_A_MEASURE}) {_DIGITS} ?{_UNIT}(?! (?:ago|old)\b)"
_ROUNDED = rf"\bto (?:{_DIGITS}|{_WORDS}) (?:decimals|(?:decimal )?places|digits)\b"
_AS_LONG = rf"\b(?:has|have) {_DIGITS} (?:bits|bytes|characters|decimals|digits|letters)\b"
_OF_EACH = rf"^(?:each|every)\b[^,;:]{{1,60}} {_DIGITS}\b(?!\w)"
_GIVEN = rf"\b(?:{_GIVES}) `?-?{_DIGITS}\b(?!\w)(?! ?(?:km|miles?|years? old)\b)"
_IN_FORM = rf"\b(?:is|are) (?:[\w-]{{1,20}} ){{0,3}}`?{_FORM}"
_LACKING = rf"\b(?:{_LACKS}) no (?!(?:\w{{1,20}} )?(?:{_NO_LACK})\b)\w"
_IS_MEASURED = re.compile(
    f"{_BOUND}|{_IN_TIME}|{_WITH_UNIT}|{_ROUNDED}|{_AS_LONG}|{_OF_EACH}|{_GIVEN}|{_IN_FORM}|{_LACKING}", re.IGNORECASE
)
_PAST = "was|were|had|did|took|came|went|been|ago|used to"
_PEOPLE = "we|us|our|ours|i|my"
_MAYBE = "can|could|might|would|sometimes|often|usually|mostly|typically|generally|rarely|in practice"
_NOW = (
    "today|tonight|now|nowadays|currently|so far|until now|yet|still|already|meanwhile|these days"
    "|at (?:present|the moment)|(?:last|this|next) (?:week|month|year|spring|summer|autumn|winter)"
)
_VAGUE = "about|around|roughly|approximately|nearly|almost|times (?:an?|per|each|every)"
_BEFORE = "existing|old|older|previous|previously|legacy|former|formerly|original|originally"
_TELLS = re.compile(rf"\b(?:{_PAST}|{_PEOPLE}|{_MAYBE}|{_NOW}|{_VAGUE}|{_BEFORE})\b|^since\b", re.IGNORECASE)
_OPENING = re.compile(
    r"(?:above|over|below|under|beyond|from|for|with|without|after|before|during|between|of|among|in|on)\b[^,]{0,80}?"
    rf"{_DIGITS} ?{_UNIT}",
    re.IGNORECASE,
)
_MARKS = " \t\"'`*_(["


def states(sentence: str) -> bool:
    """Say whether a sentence states something measurable in the present tense, and tells of no past, habit or people.

    That is a bound (at most, at least, within, no more than), a number with its unit where it says what holds ("are
    kept for 14 days") or what is given ("exits with 2"), a form ("is UTF-8"), or the lack of something ("has no BOM").
    A number that only says when ("Above 10 kg …") is none, nor is one of how things happen to be: today, about, often,
    used to, our.
    """
    text = sentence.lstrip(_MARKS)
    opening = _OPENING.match(text)
    return not _TELLS.search(text) and bool(_IS_MEASURED.search(text, opening.end() if opening else 0))
