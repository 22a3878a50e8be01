; What a chunk can be made of, and what qualifies its name.
(function_definition name: (_) @name body: (_) @body) @function
(method_declaration name: (_) @name) @method
(method_declaration name: (_) @name body: (_) @body) @method
(class_declaration name: (_) @name body: (_) @body) @type
(interface_declaration name: (_) @name body: (_) @body) @type
(trait_declaration name: (_) @name body: (_) @body) @type
(enum_declaration name: (_) @name body: (_) @body) @type
((expression_statement (function_call_expression
  function: (name) @runner
  arguments: (arguments
    . (argument (string (string_content) @name))
    . (argument [(anonymous_function body: (_) @body) (arrow_function body: (_) @body)])))) @test
  (#called? @runner "it" "test"))
(namespace_definition name: (_) @name body: (_)) @module
(program (namespace_definition name: (_) @name !body)) @module

; What belongs to it.
(attribute_list) @attribute
(comment) @comment

; What is told about it.
(compound_statement) @statements
(declaration_list) @statements
(enum_declaration_list) @statements
(case_statement) @statements
(default_statement) @statements
(function_call_expression arguments: (_) @arguments) @call
(member_call_expression arguments: (_) @arguments) @call
(nullsafe_member_call_expression arguments: (_) @arguments) @call
(scoped_call_expression arguments: (_) @arguments) @call
(object_creation_expression . [(name) (qualified_name)] @callee)
(namespace_use_declaration) @import
(require_expression (string (string_content) @import))
(require_once_expression (string (string_content) @import))
(include_expression (string (string_content) @import))
(include_once_expression (string (string_content) @import))
