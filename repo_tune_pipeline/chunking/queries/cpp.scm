; What a chunk can be made of, and what qualifies its name.
((function_definition
  !type
  declarator: (function_declarator
    declarator: (identifier) @runner
    parameters: (parameter_list . (_) @receiver . (_) @name .))
  body: (_) @body) @test
  (#called? @runner "TEST" "TEST_F" "TEST_P" "TYPED_TEST" "TYPED_TEST_P"))
(function_definition
  declarator: [
    (function_declarator
      declarator: [(identifier) (field_identifier) (operator_name) (destructor_name)] @name)
    (pointer_declarator
      declarator: (function_declarator declarator: [(identifier) (field_identifier) (operator_name)] @name))
    (pointer_declarator
      declarator: (pointer_declarator
        declarator: (function_declarator declarator: [(identifier) (field_identifier)] @name)))
    (reference_declarator
      (function_declarator declarator: [(identifier) (field_identifier) (operator_name)] @name))
    (operator_cast) @name
  ]
  body: (_) @body) @function
(function_definition
  declarator: [
    (function_declarator
      declarator: (qualified_identifier scope: (_) @receiver name: (_) @name))
    (pointer_declarator
      declarator: (function_declarator
        declarator: (qualified_identifier scope: (_) @receiver name: (_) @name)))
    (reference_declarator
      (function_declarator
        declarator: (qualified_identifier scope: (_) @receiver name: (_) @name)))
    (qualified_identifier scope: (_) @receiver name: (operator_cast) @name)
  ]
  body: (_) @body) @method
(class_specifier name: (template_type name: (_) @name) body: (_) @body) @type
(class_specifier name: [(type_identifier) (qualified_identifier)] @name body: (_) @body) @type
(struct_specifier name: (template_type name: (_) @name) body: (_) @body) @type
(struct_specifier name: [(type_identifier) (qualified_identifier)] @name body: (_) @body) @type
(union_specifier name: (template_type name: (_) @name) body: (_) @body) @type
(union_specifier name: [(type_identifier) (qualified_identifier)] @name body: (_) @body) @type
(enum_specifier name: (_) @name body: (_) @body) @type
(type_definition type: (struct_specifier !name body: (_) @body) declarator: (type_identifier) @name) @type
(type_definition type: (union_specifier !name body: (_) @body) declarator: (type_identifier) @name) @type
(type_definition type: (enum_specifier !name body: (_) @body) declarator: (type_identifier) @name) @type
(concept_definition name: (_) @name . (_) @body) @type
(namespace_definition name: (_) @name body: (_)) @module

; What belongs to it.
(template_declaration parameters: (_) . (_) @wrapped) @wrapper
(linkage_specification body: (function_definition) @wrapped) @wrapper
(type_definition type: (struct_specifier name: (_)) @wrapped) @wrapper
(type_definition type: (union_specifier name: (_)) @wrapped) @wrapper
(type_definition type: (enum_specifier name: (_)) @wrapped) @wrapper
(attribute_specifier) @attribute
(attribute_declaration) @attribute
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
(call_expression function: (template_function arguments: (_) @arguments) @call)
(call_expression function: (qualified_identifier name: (template_function arguments: (_) @arguments)) @call)
(call_expression function: (field_expression field: (template_method arguments: (_) @arguments)) @call)
(new_expression type: (template_type name: (_) @callee))
(new_expression type: (_) @callee)
(preproc_include path: (_) @import)
