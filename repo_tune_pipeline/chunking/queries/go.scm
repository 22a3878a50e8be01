; What a chunk can be made of.
(function_declaration name: (_) @name body: (_)? @body) @function
(method_declaration
  receiver: (parameter_list (parameter_declaration type: (_) @receiver))
  name: (_) @name
  body: (_) @body) @method
(type_spec name: (_) @name) @type
(type_spec name: (_) @name type: (struct_type (field_declaration_list) @body)) @type
(type_spec name: (_) @name type: (interface_type "{" @body)) @type
(type_alias name: (_) @name) @type

; What belongs to it.
(type_declaration . (type_spec) @wrapped .) @wrapper
(comment) @comment

; What is told about it.
(statement_list) @statements
(field_declaration_list) @statements
(interface_type) @statements
(call_expression function: (_) @callee)
(import_declaration (import_spec path: (_) @import))
(import_declaration (import_spec_list (import_spec path: (_) @import)))
