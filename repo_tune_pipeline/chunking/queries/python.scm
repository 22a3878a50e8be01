; What a chunk can be made of.
(function_definition name: (identifier) @name body: (block) @body) @function
(class_definition name: (identifier) @name body: (block) @body) @type

; What belongs to it.
(decorated_definition definition: (_) @wrapped) @wrapper
(decorator) @attribute
(comment) @comment

; What is told about it.
(block) @statements
(call function: (_) @callee)
(import_statement) @import
(import_from_statement) @import
