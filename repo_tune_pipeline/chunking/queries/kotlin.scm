; What a chunk can be made of. A companion's functions are called through its class: it has no name.
(function_declaration receiver: (receiver_type)? @receiver (simple_identifier) @name) @function
(function_declaration
  receiver: (receiver_type)? @receiver
  (simple_identifier) @name
  (function_body) @body) @function
(secondary_constructor "constructor" @name (statements) @body) @method
(class_declaration (type_identifier) @name) @type
(class_declaration (type_identifier) @name (class_body) @body) @type
(class_declaration (type_identifier) @name (enum_class_body) @body) @type
(class_declaration (type_identifier) @name (primary_constructor) @body .) @type
(class_declaration (type_identifier) @name (primary_constructor) @body . (delegation_specifier) .) @type
(object_declaration (type_identifier) @name (class_body) @body) @type

; What belongs to it.
(modifiers (annotation) @attribute)
(line_comment) @comment
(multiline_comment) @comment

; What is told about it.
(statements) @statements
(class_body) @statements
(enum_class_body) @statements
(call_expression (call_suffix) @arguments) @call
(delegation_specifier (constructor_invocation . (user_type) @callee))
(import_header) @import
