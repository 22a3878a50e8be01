; What a chunk can be made of, and what qualifies its name.
(function_definition name: (_) @name body: (_) @body) @function
(function_declaration name: (_) @name) @function
(class_definition name: (_) @name body: (_) @body) @type
(class_definition name: (_) @name . class_parameters: (_) @body !body) @type
(object_definition name: (_) @name body: (_) @body) @type
(trait_definition name: (_) @name body: (_) @body) @type
(enum_definition name: (_) @name body: (_) @body) @type
(package_object name: (_) @name body: (_)) @module
(extension_definition parameters: (parameters . (parameter type: (_) @name))) @owner
(given_definition name: (_) @name body: (with_template_body)) @owner
(given_definition !name return_type: (_) @name body: (with_template_body)) @owner
((call_expression
  function: (call_expression function: (identifier) @runner arguments: (arguments . (string) @name))
  arguments: (block) @body) @test
  (#called? @runner "test" "it" "property"))
((call_expression
  function: (call_expression function: (identifier) @runner arguments: (arguments . (string) @name))
  arguments: (block)) @module
  (#called? @runner "describe"))
((infix_expression
  left: (call_expression function: (identifier) @runner arguments: (arguments . (string) @name))
  operator: (operator_identifier)
  right: (block) @body) @test
  (#called? @runner "test"))
((infix_expression left: (string) @name operator: (identifier) @runner right: (block) @body) @test
  (#called? @runner "in"))
((infix_expression
  left: (infix_expression right: (string) @name)
  operator: (identifier) @runner
  right: (block) @body) @test
  (#called? @runner "in"))
((infix_expression left: (string) @name operator: (identifier) @runner right: (block)) @module
  (#called? @runner "should" "must" "can" "when" "that"))

; What belongs to it.
(annotation) @attribute
(comment) @comment
(block_comment) @comment

; What is told about it.
(block) @statements
(indented_block) @statements
(template_body) @statements
(with_template_body) @statements
(enum_body) @statements
(case_clause) @statements
(call_expression function: (generic_function function: (_) @callee))
(call_expression function: (_) @callee)
(instance_expression . (generic_type . (_) @callee))
(instance_expression . (_) @callee)
(import_declaration) @import
