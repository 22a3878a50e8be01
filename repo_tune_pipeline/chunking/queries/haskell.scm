; What a chunk can be made of, and what qualifies its name. Equations of one name are joined.
(signature name: (variable) @name) @signature
(signature name: (prefix_id (operator) @name)) @signature
(function name: (variable) @name match: (_) @body) @function
(function name: (prefix_id (operator) @name) match: (_) @body) @function
(function (infix operator: (operator) @name) match: (_) @body) @function
(function (infix operator: (infix_id (variable) @name)) match: (_) @body) @function
(bind name: (variable) @name match: (_) @body) @function
(bind name: (prefix_id (operator) @name) match: (_) @body) @function
(data_type name: (_) @name) @type
(data_type name: (_) @name constructors: (data_constructors) @body) @type
(data_type name: (_) @name "where" @body) @type
(data_type (infix operator: (_) @name) constructors: (data_constructors) @body) @type
(newtype name: (_) @name constructor: (_) @body) @type
(newtype name: (_) @name "where" @body) @type
(type_synomym name: (_) @name type: (_) @body) @type
(type_family name: (_) @name) @type
(type_family name: (_) @name "where" @body) @type
(data_family name: (_) @name) @type
(class name: (_) @name) @type
(class name: (_) @name "where" @body) @type
(instance name: (_) @name patterns: (_) @name) @type
(instance name: (_) @name patterns: (_) @name "where" @body) @type

; What belongs to it.
(pragma) @attribute
(comment) @comment
(haddock) @comment

; What is told about it.
(declarations) @statements
(class_declarations) @statements
(instance_declarations) @statements
(local_binds) @statements
(gadt_constructors) @statements
(function (match (guards))) @statements
(alternatives) @statements
(do) @statements
(apply function: [(variable) (qualified id: (variable))] @callee)
(exp [(variable) (qualified id: (variable))] @callee)
(bind pattern: (_) expression: [(variable) (qualified id: (variable))] @callee)
(infix operator: (infix_id [(variable) (qualified id: (variable))] @callee))
((infix left_operand: [(variable) (qualified id: (variable))] @callee operator: (operator) @runner)
  (#called? @runner "$" "$!" "." "<$>" "<$!>" "=<<"))
(import) @import
