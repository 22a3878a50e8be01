; What a chunk can be made of, and what qualifies its name.
(method name: (_) @name) @function
(method name: (_) @name body: (_) @body) @function
(singleton_method name: (_) @name) @function
(singleton_method name: (_) @name body: (_) @body) @function
(class name: (_) @name) @type
(class name: (_) @name body: (_) @body) @type
(module name: (_) @name) @type
(module name: (_) @name body: (_) @body) @type
((assignment
  left: (constant) @name
  right: (call receiver: (constant) @runner block: (_) @body)) @type
  (#called? @runner "Struct" "Class" "Module" "Data"))
((call
  !receiver
  method: (identifier) @runner
  arguments: (argument_list . (string) @name)
  block: (_) @body) @test
  (#called? @runner "it" "specify" "example" "scenario" "test" "should"))
((call
  method: (identifier) @runner
  arguments: (argument_list . (_) @name)
  block: (_)) @module
  (#called? @runner "describe" "context" "feature" "shared_examples" "shared_context"))

; What belongs to it.
(call
  !receiver
  method: (identifier)
  arguments: (argument_list . [(method) (singleton_method)] @wrapped .)) @wrapper
((call !receiver method: (identifier) @runner block: (_)) @attribute
  (#called? @runner "sig"))
(comment) @comment

; What is told about it.
(body_statement) @statements
(block_body) @statements
(begin) @statements
(then) @statements
(else) @statements
(ensure) @statements
(do) @statements
(call !receiver method: (_) @callee)
(call receiver: (_) !arguments !block) @callee
(call receiver: (_) arguments: (_) @arguments) @call
(call receiver: (_) !arguments block: (_) @arguments) @call
((call
  !receiver
  method: (identifier) @loader
  arguments: (argument_list . (string (string_content) @import)))
  (#called? @loader "require" "require_relative" "load"))
