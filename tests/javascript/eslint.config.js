import js from "@eslint/js";
import globals from "globals";

// Forms that pages/parts/shared/components.py cannot put into one text.
const oneText = [
  { selector: "ExportNamedDeclaration > VariableDeclaration[declarations.length>1]",
    message: "Export one name a declaration." },
  { selector: "ExportNamedDeclaration[specifiers.length>0], ExportAllDeclaration",
    message: "Write export before the function or constant." },
  { selector: "ImportDeclaration > :not(ImportSpecifier, Literal)",
    message: "Import names in braces." },
];

export default [
  js.configs.recommended,
  {
    linterOptions: { reportUnusedDisableDirectives: "error" },
    rules: {
      "eqeqeq": "error", "no-var": "error", "prefer-const": "error", "object-shorthand": "error",
      "prefer-template": "error", "no-shadow": "error", "no-else-return": "error",
      "max-lines": ["error", 400],
      "max-len": ["error", 100],
      "no-unused-vars": ["error", { argsIgnorePattern: "^_", varsIgnorePattern: "^_" }],
    },
  },
  {
    files: ["pages/**/*.js"],
    languageOptions: { globals: globals.browser },
    rules: { "no-restricted-syntax": ["error", ...oneText] },
  },
  { files: ["tests/**/*.js"], languageOptions: { globals: globals.nodeBuiltin } },
];
