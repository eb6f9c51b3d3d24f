/** A language whose files are parsed: its grammar, and what a parser looks for in it. */
export type Language = {
  readonly name: string;
  /** Of `tree-sitter-wasms`. */
  readonly grammar: string;
  /** `@def` names what is defined, `@import` what is needed from elsewhere, `@ref` what is spoken of. */
  readonly query: string;
};

const ofScript = `
  (function_declaration name: (identifier) @def)
  (generator_function_declaration name: (identifier) @def)
  (method_definition name: (property_identifier) @def)
  (program (lexical_declaration (variable_declarator name: (identifier) @def)))
  (program (export_statement (lexical_declaration (variable_declarator name: (identifier) @def))))
  (assignment_expression left: (member_expression property: (property_identifier) @def) right: [(function_expression) (arrow_function)])
  (import_statement source: (string) @import)
  (export_statement source: (string) @import)
  (call_expression function: [(identifier) (import)] arguments: (arguments . (string) @import .))
  (call_expression function: [(identifier) @ref (member_expression property: (property_identifier) @ref)])
  (new_expression constructor: (identifier) @ref)
  (import_specifier name: (identifier) @ref)`;
const javascript = `${ofScript} (class_declaration name: (identifier) @def)`;
const typescript = `${ofScript}
  (class_declaration name: (type_identifier) @def)
  (abstract_class_declaration name: (type_identifier) @def)
  (interface_declaration name: (type_identifier) @def)
  (type_alias_declaration name: (type_identifier) @def)
  (enum_declaration name: (identifier) @def)
  (type_identifier) @ref`;
const ofC = `
  (function_declarator declarator: (identifier) @def)
  (type_definition declarator: (type_identifier) @def)
  (struct_specifier name: (type_identifier) @def body: (_))
  (enum_specifier name: (type_identifier) @def body: (_))
  (preproc_def name: (identifier) @def)
  (preproc_function_def name: (identifier) @def)
  (preproc_include path: (_) @import)
  (call_expression function: (identifier) @ref)
  (type_identifier) @ref`;

const LANGUAGES: Readonly<Record<string, Omit<Language, 'name'>>> = {
  TypeScript: { grammar: 'typescript', query: typescript },
  TSX: { grammar: 'tsx', query: typescript },
  JavaScript: { grammar: 'javascript', query: javascript },
  Python: {
    grammar: 'python',
    query: `
      (class_definition name: (identifier) @def)
      (function_definition name: (identifier) @def)
      (module (expression_statement (assignment left: (identifier) @def)))
      (import_statement name: (dotted_name) @import)
      (import_statement name: (aliased_import name: (dotted_name) @import))
      (import_from_statement module_name: (_) @import)
      (import_from_statement name: (dotted_name) @ref)
      (call function: [(identifier) @ref (attribute attribute: (identifier) @ref)])`,
  },
  Go: {
    grammar: 'go',
    query: `
      (function_declaration name: (identifier) @def)
      (method_declaration name: (field_identifier) @def)
      (type_spec name: (type_identifier) @def)
      (const_spec name: (identifier) @def)
      (source_file (var_declaration (var_spec name: (identifier) @def)))
      (import_spec path: (interpreted_string_literal) @import)
      (call_expression function: [(identifier) @ref (selector_expression field: (field_identifier) @ref)])
      (type_identifier) @ref`,
  },
  Rust: {
    grammar: 'rust',
    query: `
      (function_item name: (identifier) @def)
      (struct_item name: (type_identifier) @def)
      (enum_item name: (type_identifier) @def)
      (trait_item name: (type_identifier) @def)
      (type_item name: (type_identifier) @def)
      (const_item name: (identifier) @def)
      (static_item name: (identifier) @def)
      (macro_definition name: (identifier) @def)
      (mod_item name: (identifier) @import)
      (use_declaration argument: (_) @import)
      (call_expression function: [(identifier) @ref (scoped_identifier name: (identifier) @ref)])
      (call_expression function: (field_expression field: (field_identifier) @ref))
      (macro_invocation macro: (identifier) @ref)
      (type_identifier) @ref`,
  },
  Java: {
    grammar: 'java',
    query: `
      (class_declaration name: (identifier) @def)
      (interface_declaration name: (identifier) @def)
      (enum_declaration name: (identifier) @def)
      (record_declaration name: (identifier) @def)
      (method_declaration name: (identifier) @def)
      (import_declaration (scoped_identifier) @import)
      (method_invocation name: (identifier) @ref)
      (type_identifier) @ref`,
  },
  C: { grammar: 'c', query: ofC },
  'C++': {
    grammar: 'cpp',
    query: `${ofC}
      (class_specifier name: (type_identifier) @def body: (_))
      (function_declarator declarator: (qualified_identifier name: (identifier) @def))
      (function_declarator declarator: (field_identifier) @def)`,
  },
  'C#': {
    grammar: 'c_sharp',
    query: `
      (class_declaration name: (identifier) @def)
      (interface_declaration name: (identifier) @def)
      (enum_declaration name: (identifier) @def)
      (struct_declaration name: (identifier) @def)
      (record_declaration name: (identifier) @def)
      (method_declaration name: (identifier) @def)
      (property_declaration name: (identifier) @def)
      (using_directive (_) @import)
      (identifier) @ref`,
  },
  Ruby: {
    grammar: 'ruby',
    query: `
      (module name: (constant) @def)
      (class name: (constant) @def)
      (method name: (identifier) @def)
      (singleton_method name: (identifier) @def)
      (call method: (identifier) arguments: (argument_list . (string (string_content) @import) .))
      (call method: (identifier) @ref)
      (constant) @ref`,
  },
  PHP: {
    grammar: 'php',
    query: `
      (class_declaration name: (name) @def)
      (interface_declaration name: (name) @def)
      (trait_declaration name: (name) @def)
      (method_declaration name: (name) @def)
      (function_definition name: (name) @def)
      (namespace_use_clause (qualified_name) @import)
      (require_expression (_) @import)
      (require_once_expression (_) @import)
      (include_expression (_) @import)
      (name) @ref`,
  },
};

const EXTENSIONS: Readonly<Record<string, string>> = {
  ...{ ts: 'TypeScript', mts: 'TypeScript', cts: 'TypeScript', tsx: 'TSX' },
  ...{ js: 'JavaScript', mjs: 'JavaScript', cjs: 'JavaScript', jsx: 'JavaScript' },
  ...{ py: 'Python', pyi: 'Python', go: 'Go', rs: 'Rust', java: 'Java', c: 'C', h: 'C' },
  ...{ cc: 'C++', cpp: 'C++', cxx: 'C++', hh: 'C++', hpp: 'C++', hxx: 'C++', cs: 'C#' },
  ...{ rb: 'Ruby', rake: 'Ruby', php: 'PHP' },
};

/** What is told of a code base beside the languages that are parsed. */
const OTHERS: Readonly<Record<string, string>> = {
  ...{ md: 'Markdown', json: 'JSON', yaml: 'YAML', yml: 'YAML', sql: 'SQL', html: 'HTML', css: 'CSS', toml: 'TOML' },
  ...{
    sh: 'Shell',
    bash: 'Shell',
    kt: 'Kotlin',
    swift: 'Swift',
    scala: 'Scala',
    proto: 'Protocol Buffers',
    tf: 'Terraform',
    xml: 'XML',
  },
};

const extensionOf = (path: string): string => /\.([^./]+)$/.exec(path)?.[1]?.toLowerCase() ?? '';

/** Null: its symbols are not read. */
export function languageOf(path: string): Language | null {
  const name = EXTENSIONS[extensionOf(path)];
  const found = name === undefined ? undefined : LANGUAGES[name];
  return name === undefined || found === undefined ? null : { name, ...found };
}

/** What a person calls it; null: it has no name here. */
export const languageName = (path: string): string | null =>
  EXTENSIONS[extensionOf(path)] ?? OTHERS[extensionOf(path)] ?? null;

export const languages: readonly Language[] = Object.entries(LANGUAGES).map(([name, rest]) => ({ name, ...rest }));
