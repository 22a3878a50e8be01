import time

import pytest

from repo_tune_pipeline_tests.chunking.helpers import (
    assert_exact,
    cut,
    cut_lines,
    cut_one,
    documentation,
    outline,
    reasons,
)

CARD = """open ReactNative
open! Shop.Types
@module("./card.js") external brand: string => string = "brand"

type size = Small | Large
// ---------
/**
 * What is shown.
 */
type rec card = {
  number: string,
  next: option<card>,
}

let defaults = {
  number: "}",
  next: None,
}

/* let hidden = () => { /* nested */ " */
// Reads one.
let parse = async (
  ~text: string, // `why`
  ~strict=?,
): option<card> => {
  let quote = '"'
  let url = `https://${host(`{${text}`)}/"(`
  switch text {
  | "a"
  | "b" =>
    Some({number: url, next: None})
  | _ => text->Js.String2.trim->lookup(quote)
  }
}
and lookup = (text, _) =>
  switch text {
  | "(" => None
  | _ => parse(~text)
  }
let (a, b) = (1, 2)
let memo = React.memo((~x) => {
  x->ignore
})

module Row = {
  let gap = 8.

  module Cell = {
    @react.component
    let make = (~card: card, ~onPress: 'a => unit) => {
      let {number} = card
      if number === "" {
        onPress()
      } else {
        fetch(
          number,
        )->ignore
      }

      <View
        style={s({padding: gap->dp})}>
        <Icon.Small name=number />
      </View>
    }
  }
  @deprecated("x") @inline
  let twice = x => {
    x * 2
  }
}

describe("cards", () => {
  test("parses (", () => {
    let card = parse(~text="a")
    expect(card)->toBe(None)
  })
})
"""


def test_items_of_a_file_and_of_its_modules() -> None:
    chunks = cut_one("Card.res", CARD)
    assert outline(chunks) == [
        ("type", "card", 6, 13, "type rec card"),
        (
            "function",
            "parse",
            20,
            34,
            "let parse = async ( ~text: string, ~strict=?, ): option<card>",
        ),
        ("function", "lookup", 35, 39, "and lookup = (text, _)"),
        ("function", "memo", 41, 43, "let memo = React.memo((~x)"),
        ("type", "Row", 45, 70, "module Row"),
        ("type", "Row.Cell", 48, 65, "module Cell"),
        (
            "function",
            "Row.Cell.make",
            49,
            64,
            "let make = (~card: card, ~onPress: 'a => unit)",
        ),
        ("function", "Row.twice", 66, 69, "let twice = x"),
        ("test", "cards.parses (", 73, 76, 'test("parses (", () =>'),
    ]
    for chunk in chunks.values():
        assert_exact(chunk, CARD)


def test_what_makes_no_chunk() -> None:
    found = reasons(cut({"Card.res": CARD}))
    assert found == {
        "brand": "trivial",
        "size": "trivial",
        "defaults": "not_a_definition",
        "": "not_a_definition",
        "Row.gap": "not_a_definition",
    }


def test_documentation_attributes_and_imports() -> None:
    chunks = cut_one("Card.res", CARD)
    assert chunks["card"].docstring == "What is shown."
    assert chunks["parse"].docstring.endswith("Reads one.")
    assert documentation(chunks["parse"]).endswith("// Reads one.\n")
    assert chunks["Row.Cell.make"].attributes == ("@react.component",)
    assert chunks["Row.twice"].attributes == ('@deprecated("x")', "@inline")
    assert chunks["parse"].imports == ("./card.js", "ReactNative", "Shop.Types")


def test_calls_pipes_and_components() -> None:
    chunks = cut_one("Card.res", CARD)
    assert chunks["parse"].callees == ("Js.String2.trim", "host", "lookup")
    assert chunks["Row.Cell.make"].callees == (
        "Icon.Small.make",
        "View.make",
        "dp",
        "fetch",
        "ignore",
        "onPress",
        "s",
    )


def test_cuts_stand_before_statements_and_arms() -> None:
    chunks = cut_one("Card.res", CARD)
    assert cut_lines(chunks["parse"]) == [
        "let quote = '\"'",
        'let url = `https://${host(`{${text}`)}/"(`',
        "switch text {",
        '| "a"',
        "Some({number: url, next: None})",
        "| _ => text->Js.String2.trim->lookup(quote)",
    ]
    assert cut_lines(chunks["Row.Cell.make"]) == [
        "let {number} = card",
        'if number === "" {',
        "onPress()",
        "fetch(",
        "<View",
    ]
    assert cut_lines(chunks["card"]) == []


def test_a_long_component_is_cut_between_statements_and_elements() -> None:
    lines = [f"  let v{at} = use(v{at - 1})" for at in range(1, 40)]
    markup = [f"    <Text key=v{at}>{{v{at}->string}}</Text>" for at in range(40)]
    body = ["let make = (~v0) => {", *lines, "  <View>", *markup, "  </View>", "}", ""]
    text = "\n".join(["// All.", "@react.component", *body])
    chunks = cut({"Long.res": text}, max_chunk_chars=400).chunks
    assert [each.part for each in chunks] == [(at, len(chunks)) for at in range(1, len(chunks) + 1)]
    assert "\n".join(each.source for each in chunks) == text.rstrip("\n")
    assert {each.signature for each in chunks} == {"let make = (~v0)"}
    assert [each.docstring for each in chunks if each.docstring] == ["All."]
    assert all(len(each.source) <= 400 for each in chunks)
    assert (chunks[1].callees, chunks[-2].callees) == (("use",), ("Text.make", "string"))
    for chunk in chunks:
        assert_exact(chunk, text)


@pytest.mark.parametrize(
    "part",
    ["(", '"', "`", "/*", "'", "`${", '\\"', "{", "(/", "@a(", "a.", "->", "let a = (", "\nlet "],
)
def test_hostile_text_takes_time_in_proportion(part: str) -> None:
    text = part * (500_000 // len(part))
    started = time.process_time()
    chunked = cut({"A.res": text})
    assert time.process_time() - started < 20
    for chunk in chunked.chunks:
        assert_exact(chunk, text)
