"""A docstring's first paragraph as a sentence about "it", where that is certain to be right."""

from __future__ import annotations

import re

_VERB_LIST = """
    accept add allow append apply assert assign attach block bind build cancel capture change
    check choose clean clear close collect combine compare complete compute configure connect
    construct convert copy count create decode decrypt define delete describe detect determine
    disable discard display dispatch download drop emit enable encode encrypt ensure escape
    evaluate execute expand export extend extract fail fetch fill find fire flush forward
    generate get give handle hide hold implement import include increment indicate infer
    increase initialise initialize insert inspect install intercept invoke iterate join keep
    launch listen load locate look make manage mark merge modify move normalise normalize
    notify obtain open override parse perform persist pick populate prepare prevent print
    process produce provide publish push put raise read rebuild receive recompute reconstruct
    record redirect refresh register reject release reload remove rename render replace replay
    report represent require reset resolve restore retrieve return reverse run save schedule
    scan select send serialize set shut skip sort split start stop store strip submit subscribe
    support take tell test throw tokenize transform traverse trigger try turn uninstall unregister
    unwrap update upload use validate verify wait walk warn wrap write yield
    adapt begin calculate consume decorate derive deserialize encapsulate enforce enrich
    enumerate inject specify instantiate invalidate rebalance shorten unescape unmount
"""
_ALSO_NOUNS_LIST = """
    advance allocate benchmark cache call clone collapse confirm contain cover do dump end enter
    expect expose filter flash focus format gate guard guess hash hook link lock log map measure
    mount pad patch pop pull query queue quote reduce request rotate round scale share show sync
    tag toggle track view visit wire work
"""
_NOT_OBJECT_LIST = (
    "of that which used created related based containing holding and or is are was for with in on "
    "case cases from regarding"
)
_VERBS = frozenset(_VERB_LIST.split())
_ALSO_NOUNS = frozenset(_ALSO_NOUNS_LIST.split())
_NOT_OBJECTS = frozenset(_NOT_OBJECT_LIST.split())
_CLAIMING = frozenset({"assert", "check", "confirm", "ensure", "indicate", "test", "verify"})
_DETERMINER = re.compile(
    r"(?:an?|the|this|these|all|any|each|every|its|their|whether|no|one|two|given|it|them|`.*)$",
    re.I,
)
_HAS_VERB = re.compile(r"\b(?:is|are|was|were|will|can|must|should|has|have|may|does|do|:)\b")
_THING = re.compile(
    r"(?!(?:This|That|These|Those|The|There|It|An?|All|Each|Every|No|If|When) )(?:[\w-]+ ){0,4}?"
    r"(?P<noun>(?:method|function|helper|class|test|suite|adapter|wrapper|shortcut|interface|type"
    r"|subclass|factory|exception|decorator|callback|utility|benchmark|builder|processor|handler"
    r"|serializer|deserializer|converter|annotation|component|hook|policy|response|body|endpoint|container|mapper|counterpart)(?P<many>e?s)?)"
    r"(?= (?:that|which|for|to|of|used|with|when|where|whose|from|about|by|verifying|checking"
    r"|representing|recognized|recognised|performing|implementing|called)\b|[.,:]?$|[.:] )",
    re.IGNORECASE,
)
_OPENING = re.compile(r"(?:This|These|It|When|If|Given|For|In|By|All)\b|`")
_BY_DEFAULT = re.compile(r"\b(By default, )([a-z]+s) (\S+)")
_LATER = re.compile(r"(?<=[a-z`)'\"]\. )(Then )?([A-Z]?[a-z]+s) (\S+)")
_BREAK = re.compile(r"\. | that | which ")
_TITLE = re.compile(r"(?:[A-Z][\w/-]* ){2}")
_SECOND_VERB = re.compile(
    r"^((?:(?:(?! to )[^.])*? )?and )([a-z]+)"
    r"(?= (?:an?|the|its?|their|new|all|this|them|whether|to|from|through|into)\b)"
)
_WITHOUT_IT = re.compile(
    r"(?P<is>Called|Used|Raised|Thrown|Taken|Invoked|Similar|Like|Equivalent|Identical|True|False)"
    r"|Works|Should|Must|Can|Does"
)
_CONDITION = re.compile(r"((?:Given|When|If|For|After|Before|Once)\b[^.:;]*?, )([a-z]+) (?=(\S+))")
_MODAL = re.compile(r"(?:[a-z]+s,?|will|can|should|must|may|never|only)\s")


def as_sentence(paragraph: str, name: str = "") -> str:
    """`paragraph` ending in a full stop, about "it" where that is certain to be right.

    "Return x" and "Returns x" become "It returns x"; so does "Name returns x", the way Go is
    documented, if `name` is the name of what is described. "Helper for x" becomes "It is a
    helper for x", "Called by x" "It is called by x".
    """
    text = _LATER.sub(_also_about_it, _about_it(paragraph, name)).rstrip()
    text = _BY_DEFAULT.sub(_also_about_it, text)
    if text.endswith((":", ",", ";")):
        text = text[:-1].rstrip()
    return text if text.endswith((".", "!", "?", ".)", '."')) else f"{text}."


def article(noun: str) -> str:
    """`noun` with "a" or "an" before it."""
    return f"{'an' if noun[:1].lower() in 'aeiou' and not _SPOKEN_YOU.match(noun) else 'a'} {noun}"


_SPOKEN_YOU = re.compile(r"(?:uni(?:t|que|form|on|versal)|use|util|URL)", re.IGNORECASE)


def _about_it(paragraph: str, name: str) -> str:
    first, _, rest = paragraph.partition(" ")
    if first == f"{name}." and rest:
        return _about_it(rest, name)
    if first in ("A", "An", "The") and not _claims(rest):
        return f"It is {first.lower()} {rest}"
    if first == name and rest:
        return _about_named(paragraph, rest)
    if verb := _led_by(first, rest):
        told = rest if verb == first.lower() else _SECOND_VERB.sub(_agreeing, rest, count=1)
        return f"It {verb} {told}"
    if form := _WITHOUT_IT.fullmatch(first):
        return f"It {'is ' if form['is'] else ''}{first.lower()} {rest}"
    if thing := _THING.match(paragraph):
        return _as_thing(paragraph, thing)
    if condition := _CONDITION.match(paragraph):
        verb = _third_person(condition[2])
        if verb == condition[2] or (verb and _DETERMINER.match(condition[3])):
            return f"{condition[1]}it {verb} {paragraph[condition.start(3) :]}"
    if not _claims(paragraph) and not _OPENING.match(paragraph):
        return f"Its documentation reads: {paragraph}"
    # `some.name` or some_name stays as it is spelled.
    plain = re.fullmatch(r"[a-z]+[,:]?", first)
    return paragraph[:1].upper() + paragraph[1:] if plain else paragraph


def _claims(text: str) -> bool:
    """Whether what comes first in `text` has a verb of its own."""
    main = _BREAK.split(text, maxsplit=1)[0]
    words = main.split()
    return bool(_HAS_VERB.search(main)) or any(
        word[-1:] == "s" and _third_person(word) == word for word in words[1:6]
    )


def _about_named(paragraph: str, rest: str) -> str:
    """What follows a name that begins its own description."""
    if _MODAL.match(rest):
        return f"It {rest}"
    word, _, behind = rest.partition(" ")
    verb = _third_person(word) if word.islower() and word in _VERBS and behind else ""
    return f"It {verb} {behind}" if verb else paragraph


def _led_by(first: str, rest: str) -> str:
    """The verb that the paragraph begins with, in the third person; "" where it isn't certain."""
    verb = _third_person(first)
    following = rest.split(" ", 1)[0].strip(".,:;") if rest else ""
    if not verb or not following:
        return ""
    base = first.lower()
    if following.lower() in ("whether", "if"):
        return verb
    if following.lower() == "that":
        return verb if any(_third_person(one) == verb for one in _CLAIMING) else ""
    if following.lower() in ("and", "or"):
        second = rest.split(" ", 2)[1:2]
        form = _third_person(second[0]) if second else ""
        return verb if form and (second[0] == form) == (verb == base) else ""
    # "View decorator" is a thing, "View the page" is not; "Submit Button Tests" is a title.
    if following.lower() in _NOT_OBJECTS or (verb != base and _TITLE.match(rest)):
        return ""
    return verb if base not in _ALSO_NOUNS or _DETERMINER.match(following) else ""


def _agreeing(match: re.Match[str]) -> str:
    """ "… and return it" as "… and returns it"."""
    verb = match[2] if match[2] in _VERBS else ""
    return match[1] + (_third_person(verb) if verb else match[2])


def _also_about_it(match: re.Match[str]) -> str:
    """A later sentence that goes on without a subject: "Then calls it." as "It then calls it."."""
    then, verb, following = match[1] or "", match[2], match[3]
    if _third_person(verb) != verb.lower() or following.lower() in _NOT_OBJECTS:
        return match[0]
    if then.endswith(", "):
        return f"{then}it {verb} {following}"
    return f"It {then.lower()}{verb.lower()} {following}"


def _as_thing(paragraph: str, thing: re.Match[str]) -> str:
    if not re.match(r"[A-Z][a-z]+(?:-[a-z]+)*\b", paragraph):
        return paragraph
    text = paragraph[:1].lower() + paragraph[1:]
    return f"It holds {text}" if thing["many"] else f"It is {article(text)}"


def _third_person(word: str) -> str:
    """ "Return" and "Returns" -> "returns"; "" for what isn't one of the known verbs."""
    word = word.lower()
    known = _VERBS | _ALSO_NOUNS
    if word in known:
        if re.search(r"(?:s|sh|ch|x|z|o)$", word):
            return f"{word}es"
        if re.search(r"[^aeiou]y$", word):
            return f"{word[:-1]}ies"
        return f"{word}s"
    for base in (word[:-1], word[:-2], f"{word[:-3]}y"):
        if base in known and _third_person(base) == word:
            return word
    return ""
