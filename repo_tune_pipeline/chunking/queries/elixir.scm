; What a chunk can be made of, and what qualifies its name.
((call
  target: (identifier) @runner
  (arguments . (alias) @name)
  (do_block . (_)) @body) @type
  (#called? @runner "defmodule" "defprotocol"))
((call
  target: (identifier) @runner
  (arguments . (alias) @name .)
  (do_block . (_)) @body) @type
  (#called? @runner "defimpl"))
((call
  target: (identifier) @runner
  (arguments . (alias) @receiver (keywords (pair value: (alias) @name)))
  (do_block . (_)) @body) @type
  (#called? @runner "defimpl"))
((call
  target: (identifier) @runner
  (arguments . [
    (identifier) @name
    (call target: (_) @name)
    (binary_operator left: (identifier) @name operator: "when")
    (binary_operator left: (call target: (_) @name) operator: "when")
  ])) @signature
  (#called? @runner "def" "defp" "defmacro" "defmacrop"))
((call
  target: (identifier) @runner
  (arguments . [
    (identifier) @name
    (call target: (_) @name)
    (binary_operator left: (identifier) @name operator: "when")
    (binary_operator left: (call target: (_) @name) operator: "when")
  ])
  (do_block . (_)) @body) @function
  (#called? @runner "def" "defp" "defmacro" "defmacrop"))
((call
  target: (identifier) @runner
  (arguments . [
    (identifier) @name
    (call target: (_) @name)
    (binary_operator left: (identifier) @name operator: "when")
    (binary_operator left: (call target: (_) @name) operator: "when")
  ] (keywords) @body .)) @function
  (#called? @runner "def" "defp" "defmacro" "defmacrop"))
((call
  target: (identifier) @runner
  (arguments . (string) @name)
  (do_block . (_)) @body) @test
  (#called? @runner "test" "property"))
((call
  target: (identifier) @runner
  (arguments . (string) @name)
  (do_block)) @module
  (#called? @runner "describe"))

; What belongs to it.
((unary_operator "@" operand: (call target: (identifier) @runner)) @comment
  (#called? @runner "doc" "moduledoc" "typedoc"))
((unary_operator "@" operand: (call target: (identifier) @runner)) @attribute
  (#called? @runner "spec" "impl" "deprecated" "tag" "since" "dialyzer"))
(comment) @comment

; What is told about it.
(do_block) @statements
(else_block) @statements
(rescue_block) @statements
(catch_block) @statements
(after_block) @statements
(body) @statements
(call target: (dot) @callee (arguments))
((call target: (identifier) @callee)
  (#not-called? @callee
    "case" "cond" "if" "unless" "with" "for" "receive" "try" "quote" "unquote" "fn"
    "def" "defp" "defmacro" "defmacrop" "defmodule" "defstruct" "defdelegate"
    "alias" "import" "require" "use"
    "doc" "moduledoc" "typedoc" "spec" "type" "typep" "opaque" "impl" "callback" "tag"))
((call target: (identifier) @loader) @import
  (#called? @loader "alias" "import" "require" "use"))
