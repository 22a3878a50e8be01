; What a chunk can be made of.
(function_definition name: (_) @name body: (_) @body) @function

; What belongs to it.
(comment) @comment

; What is told about it.
(compound_statement) @statements
(subshell) @statements
(if_statement) @statements
(elif_clause) @statements
(else_clause) @statements
(do_group) @statements
(case_item) @statements
(command name: (command_name (word)) @callee)
((command name: (command_name) @loader . argument: (_) @import)
  (#called? @loader "source" "."))
