; What a chunk can be made of, and what qualifies its name.
(function_declaration "func" . name: _ @name body: (_) @body) @function
(protocol_function_declaration "func" . name: _ @name) @method
(init_declaration "init" @name) @method
(init_declaration "init" @name body: (_) @body) @method
(deinit_declaration "deinit" @name body: (_) @body) @method
(subscript_declaration "subscript" @name (computed_property) @body) @method
(property_declaration name: (pattern) @name computed_value: (_) @body) @function
(class_declaration name: (type_identifier) @name body: (_) @body) @type
(protocol_declaration name: (_) @name body: (_) @body) @type
(class_declaration "extension" name: (_) @name body: (_)) @owner

; What belongs to it.
(modifiers (attribute) @attribute)
(comment) @comment
(multiline_comment) @comment

; What is told about it.
(statements) @statements
(class_body) @statements
(enum_class_body) @statements
(protocol_body) @statements
(call_expression (call_suffix (value_arguments "(")) @arguments) @call
(call_expression (call_suffix . (lambda_literal)) @arguments) @call
(constructor_expression constructed_type: (user_type . (type_identifier) @callee))
(macro_invocation (simple_identifier) @callee)
(import_declaration) @import
