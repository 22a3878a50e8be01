; What a chunk can be made of.
(function_declaration name: (_) @name body: (_) @body) @function
(generator_function_declaration name: (_) @name body: (_) @body) @function
(lexical_declaration (variable_declarator
  name: (identifier) @name
  value: [(arrow_function body: (_) @body) (function_expression body: (_) @body)])) @function
(variable_declaration (variable_declarator
  name: (identifier) @name
  value: [(arrow_function body: (_) @body) (function_expression body: (_) @body)])) @function
(assignment_expression
  left: (member_expression) @name
  right: [(arrow_function body: (_) @body) (function_expression body: (_) @body)]) @function
(export_statement
  value: [(arrow_function body: (_) @body) (function_expression body: (_) @body)]) @function
(export_statement value: (class body: (_) @body)) @type
(class_declaration name: (_) @name body: (_) @body) @type
(lexical_declaration (variable_declarator name: (identifier) @name value: (class body: (_) @body))) @type
(assignment_expression left: (member_expression) @name right: (class body: (_) @body)) @type
(method_definition name: (_) @name body: (_) @body) @method
(public_field_definition name: (_) @name value: (arrow_function body: (_) @body)) @method
((call_expression
  function: (identifier) @runner
  arguments: (arguments
    . (string (string_fragment) @name)
    . [(arrow_function body: (_) @body) (function_expression body: (_) @body)])) @test
  (#called? @runner "it" "test"))
((call_expression
  function: (identifier) @runner
  arguments: (arguments . (string (string_fragment) @name) . (_))) @module
  (#called? @runner "describe"))
(function_signature name: (_) @name) @function
(abstract_method_signature name: (_) @name) @method
(abstract_class_declaration name: (_) @name body: (_) @body) @type
(interface_declaration name: (_) @name body: (_) @body) @type
(enum_declaration name: (_) @name body: (_) @body) @type
(type_alias_declaration name: (_) @name value: (_) @body) @type
(internal_module name: (_) @name body: (_)) @module
(module name: (_) @name body: (_)) @module

; What belongs to it.
(export_statement declaration: (_) @wrapped) @wrapper
(ambient_declaration) @open
(decorator) @attribute
(comment) @comment

; What is told about it.
(statement_block) @statements
(class_body) @statements
(interface_body) @statements
(object_type) @statements
(enum_body) @statements
(switch_case) @statements
(switch_default) @statements
(call_expression function: (_) @callee)
(new_expression constructor: (_) @callee)
(import_statement source: (string (string_fragment) @import))
(export_statement source: (string (string_fragment) @import))
((call_expression
  function: (identifier) @loader
  arguments: (arguments . (string (string_fragment) @import)))
  (#called? @loader "require"))
