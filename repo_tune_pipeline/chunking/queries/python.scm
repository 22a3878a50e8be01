; What a chunk can be made of.
(function_definition name: (identifier) @name body: (block) @body) @function
(class_definition name: (identifier) @name body: (block) @body) @type

; What belongs to it.
(decorated_definition definition: (_) @wrapped) @wrapper
(decorator) @attribute
(module (comment) @comment)
(parameters (comment) @comment)
(function_definition (comment) @comment)
(class_definition superclasses: (argument_list (comment) @comment))

; What is told about it.
(block) @statements
(call function: (_) @callee)
(import_statement) @import
(import_from_statement) @import
