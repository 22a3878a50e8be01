; What a chunk can be made of, and what qualifies its name.
(function_declaration name: (identifier) @name) @function
(function_declaration name: (identifier) @name body: (_) @body) @function
(function_declaration
  name: (dot_index_expression table: (_) @receiver field: (_) @name)) @function
(function_declaration
  name: (dot_index_expression table: (_) @receiver field: (_) @name)
  body: (_) @body) @function
(function_declaration
  name: (method_index_expression table: (_) @receiver method: (_) @name)) @method
(function_declaration
  name: (method_index_expression table: (_) @receiver method: (_) @name)
  body: (_) @body) @method
(variable_declaration
  (assignment_statement
    (variable_list . name: (identifier) @name .)
    (expression_list . value: (function_definition body: (_) @body) .))) @function
(assignment_statement
  (variable_list . name: (identifier) @name .)
  (expression_list . value: (function_definition body: (_) @body) .)) @function
(assignment_statement
  (variable_list . name: (dot_index_expression table: (_) @receiver field: (_) @name) .)
  (expression_list . value: (function_definition body: (_) @body) .)) @function
(field name: (_) @name value: (function_definition body: (_) @body)) @function
(assignment_statement
  (variable_list . name: (_) @name .)
  (expression_list . value: (table_constructor) .)) @module
((function_call
  name: (identifier) @runner
  arguments: (arguments . (_) @name . (function_definition body: (_) @body))) @test
  (#called? @runner "it" "test"))
((function_call
  name: (identifier) @runner
  arguments: (arguments . (_) @name . (function_definition))) @module
  (#called? @runner "describe" "context"))

; What belongs to it.
(comment) @comment

; What is told about it.
(block) @statements
(function_call name: (_) @callee)
((function_call name: (identifier) @loader arguments: (arguments . (string (string_content) @import)))
  (#called? @loader "require"))
