; What a chunk can be made of.
(method_declaration name: (_) @name body: (_)? @body) @method
(constructor_declaration name: (_) @name body: (_) @body) @method
(compact_constructor_declaration name: (_) @name body: (_) @body) @method
(class_declaration name: (_) @name body: (_) @body) @type
(interface_declaration name: (_) @name body: (_) @body) @type
(enum_declaration name: (_) @name body: (_) @body) @type
(record_declaration name: (_) @name body: (_) @body) @type
(annotation_type_declaration name: (_) @name body: (_) @body) @type

; What belongs to it.
(modifiers (annotation) @attribute)
(modifiers (marker_annotation) @attribute)
(line_comment) @comment
(block_comment) @comment

; What is told about it.
(block) @statements
(constructor_body) @statements
(class_body) @statements
(interface_body) @statements
(enum_body) @statements
(enum_body_declarations) @statements
(switch_block_statement_group) @statements
(method_invocation arguments: (_) @arguments) @call
(object_creation_expression type: (generic_type . (_) @callee))
(object_creation_expression type: (_) @callee)
(import_declaration) @import
