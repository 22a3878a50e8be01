; What a chunk can be made of, and what qualifies its name.
(method_declaration name: (_) @name) @method
(method_declaration name: (_) @name body: (_) @body) @method
(constructor_declaration name: (_) @name body: (_) @body) @method
(destructor_declaration "~" @name body: (_) @body) @method
(operator_declaration operator: _ @name body: (_) @body) @method
(conversion_operator_declaration type: (_) @name body: (_) @body) @method
(indexer_declaration "this" @name accessors: (_) @body) @method
(property_declaration
  name: (_) @name
  accessors: (accessor_list (accessor_declaration body: (_))) @body) @method
(property_declaration name: (_) @name value: (arrow_expression_clause) @body) @method
(global_statement (local_function_statement name: (_) @name body: (_) @body)) @function
(class_declaration name: (_) @name body: (_) @body) @type
(struct_declaration name: (_) @name body: (_) @body) @type
(interface_declaration name: (_) @name body: (_) @body) @type
(enum_declaration name: (_) @name body: (_) @body) @type
(record_declaration name: (_) @name body: (_) @body) @type
(record_declaration name: (_) @name (parameter_list) @body !body) @type
(namespace_declaration name: (_) @name body: (_)) @module
(compilation_unit (file_scoped_namespace_declaration name: (_) @name)) @module

; What belongs to it.
(attribute_list) @attribute
(comment) @comment

; What is told about it.
(block) @statements
(declaration_list) @statements
(enum_member_declaration_list) @statements
(accessor_list) @statements
(switch_section) @statements
(preproc_if) @statements
(preproc_else) @statements
(invocation_expression function: (_) @callee)
(invocation_expression function: (generic_name (type_argument_list) @arguments) @call)
(invocation_expression
  function: (member_access_expression name: (generic_name (type_argument_list) @arguments)) @call)
(object_creation_expression type: (generic_name . (_) @callee))
(object_creation_expression type: (_) @callee)
(using_directive) @import
