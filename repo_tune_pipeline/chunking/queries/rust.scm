; What a chunk can be made of, and what qualifies its name.
(function_item name: (_) @name body: (_) @body) @function
(function_signature_item name: (_) @name) @function
(struct_item name: (_) @name body: (_)? @body) @type
(enum_item name: (_) @name body: (_) @body) @type
(union_item name: (_) @name body: (_) @body) @type
(trait_item name: (_) @name body: (_) @body) @type
(type_item name: (_) @name type: (_) @body) @type
(mod_item name: (_) @name body: (_)) @module
(impl_item type: (_) @name body: (_)) @owner

; What belongs to it.
(attribute_item) @attribute
(line_comment) @comment
(block_comment) @comment

; What is told about it.
(block) @statements
(declaration_list) @statements
(field_declaration_list) @statements
(enum_variant_list) @statements
(call_expression function: (generic_function function: (_) @callee))
(call_expression function: (_) @callee)
(macro_invocation macro: (_) @callee)
(use_declaration argument: (_) @import)
