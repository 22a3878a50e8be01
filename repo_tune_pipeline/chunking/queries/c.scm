; What a chunk can be made of.
(function_definition
  declarator: [
    (function_declarator declarator: (identifier) @name)
    (pointer_declarator declarator: (function_declarator declarator: (identifier) @name))
    (pointer_declarator
      declarator: (pointer_declarator declarator: (function_declarator declarator: (identifier) @name)))
    (function_declarator
      declarator: (parenthesized_declarator
        (pointer_declarator declarator: (function_declarator declarator: (identifier) @name))))
  ]
  body: (_) @body) @function
(struct_specifier name: (_) @name body: (_) @body) @type
(union_specifier name: (_) @name body: (_) @body) @type
(enum_specifier name: (_) @name body: (_) @body) @type
(type_definition type: (struct_specifier !name body: (_) @body) declarator: (type_identifier) @name) @type
(type_definition type: (union_specifier !name body: (_) @body) declarator: (type_identifier) @name) @type
(type_definition type: (enum_specifier !name body: (_) @body) declarator: (type_identifier) @name) @type

; What belongs to it.
(type_definition type: (struct_specifier name: (_)) @wrapped) @wrapper
(type_definition type: (union_specifier name: (_)) @wrapped) @wrapper
(type_definition type: (enum_specifier name: (_)) @wrapped) @wrapper
(attribute_specifier) @attribute
(comment) @comment

; What is told about it.
(compound_statement) @statements
(case_statement) @statements
(field_declaration_list) @statements
(enumerator_list) @statements
(preproc_if) @statements
(preproc_ifdef) @statements
(preproc_else) @statements
(call_expression function: (_) @callee)
(preproc_include path: (_) @import)
