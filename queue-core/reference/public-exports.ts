/**
 * What `src/index.ts` and `src/engines/redis/index.ts` export, read from the sources: name, declaration and doc comment of each.
 *
 * What can go wrong: a way of exporting that is not understood here would be left out in silence. Promise: it throws
 * instead, and the test compares the names with those that a program sees at run time.
 */
import { readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import ts from "typescript";

const sources = fileURLToPath(new URL("../src/", import.meta.url));

export interface PublicExport {
  readonly name: string;
  /** Relative to src, e.g. "queue.ts". */
  readonly file: string;
  /** Text of the last `// --- … ---` above it in its file; undefined when there is none. */
  readonly section: string | undefined;
  /** As declared, without the bodies of functions. */
  readonly signature: string;
  /** Text of its doc comment; undefined when it has none. */
  readonly comment: string | undefined;
}

type Declared = ts.Statement & { readonly name?: ts.Node };

/** Of `queue-core`, and of `queue-core/redis`. */
const entries = ["index.ts", "engines/redis/index.ts"];

export function publicExports(): readonly PublicExport[] {
  return entries.flatMap((entry) => exportsOf(join(sources, entry), undefined));
}

/** All of a module's exports, or those of these names. */
function exportsOf(path: string, wanted: ReadonlySet<string> | undefined): PublicExport[] {
  const source = ts.createSourceFile(path, readFileSync(path, "utf8"), ts.ScriptTarget.Latest, true);
  const found = source.statements.flatMap((statement): PublicExport[] => {
    if (ts.isExportDeclaration(statement)) return reexports(statement, path);
    if (!isExported(statement)) return [];
    if (ts.isVariableStatement(statement)) {
      return statement.declarationList.declarations.map((declaration) =>
        publicExport(source, statement, declaration.name.getText(), variableText(declaration)),
      );
    }
    const { name } = statement as Declared;
    if (name === undefined) throw new Error(`${path}: an export without a name`);
    return [publicExport(source, statement, name.getText(), declarationText(statement))];
  });
  return wanted === undefined ? found : found.filter(({ name }) => wanted.has(name));
}

function reexports({ exportClause, moduleSpecifier }: ts.ExportDeclaration, path: string): PublicExport[] {
  if (moduleSpecifier === undefined || !ts.isStringLiteral(moduleSpecifier)) throw new Error(`${path}: a bare export`);
  const from = join(dirname(path), moduleSpecifier.text);
  if (exportClause === undefined) return exportsOf(from, undefined);
  if (!ts.isNamedExports(exportClause)) throw new Error(`${path}: a namespace export`);
  const names = exportClause.elements.map(({ name, propertyName }) => {
    if (propertyName !== undefined) throw new Error(`${path}: ${name.text} is exported under another name`);
    return name.text;
  });
  const found = exportsOf(from, new Set(names));
  if (found.length !== names.length) throw new Error(`${path}: not all of ${names.join(", ")} are in ${from}`);
  return found;
}

function isExported(statement: ts.Statement): boolean {
  const modifiers = ts.canHaveModifiers(statement) ? ts.getModifiers(statement) : undefined;
  return modifiers?.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword) === true;
}

function publicExport(source: ts.SourceFile, statement: ts.Statement, name: string, signature: string): PublicExport {
  return {
    name,
    file: relative(sources, source.fileName),
    section: sectionAbove(source.text, statement.getStart()),
    signature,
    comment: commentOf(source.text, statement),
  };
}

function sectionAbove(text: string, position: number): string | undefined {
  return [...text.slice(0, position).matchAll(/^\/\/ --- (.+?) -+$/gm)].at(-1)?.[1];
}

function commentOf(text: string, statement: ts.Statement): string | undefined {
  const ranges = ts.getLeadingCommentRanges(text, statement.getFullStart()) ?? [];
  const own = ranges.findLast(
    ({ pos, end }) => text.startsWith("/**", pos) && isNextTo(text, end, statement.getStart()),
  );
  // The first comment of a file that is not next to a declaration is the file's own.
  if (own === undefined) return undefined;
  return text
    .slice(own.pos + 3, own.end - 2)
    .split("\n")
    .map((line) => line.replace(/^\s*\* ?/, "").trimEnd())
    .join("\n")
    .trim();
}

function isNextTo(text: string, end: number, start: number): boolean {
  return /^\s*$/.test(text.slice(end, start)) && text.slice(end, start).split("\n").length <= 2;
}

function declarationText(statement: ts.Statement): string {
  if (ts.isFunctionDeclaration(statement)) return `${withoutBody(statement)};`;
  if (ts.isClassDeclaration(statement)) return classText(statement);
  if (ts.isInterfaceDeclaration(statement) || ts.isTypeAliasDeclaration(statement))
    return unexported(statement.getText());
  throw new Error(`${statement.getSourceFile().fileName}: an export of a kind that the reference does not know`);
}

function withoutBody(declaration: ts.FunctionLikeDeclaration): string {
  const text = declaration.getText();
  if (declaration.body === undefined) return unexported(text);
  return unexported(text.slice(0, declaration.body.getStart() - declaration.getStart()).trimEnd());
}

/** Public members alone. */
function classText(declaration: ts.ClassDeclaration): string {
  const head = declaration.getText().slice(0, declaration.members.pos - declaration.getStart());
  const members = declaration.members
    .filter((member) => member.name === undefined || !ts.isPrivateIdentifier(member.name))
    .map((member) => {
      const comment = member
        .getFullText()
        .slice(0, member.getStart() - member.getFullStart())
        .trim();
      const text = ts.isFunctionLike(member) ? `${withoutBody(member as ts.MethodDeclaration)};` : member.getText();
      return `  ${comment === "" ? "" : `${comment}\n  `}${text}`;
    });
  return `${unexported(head)}\n${members.join("\n")}\n}`;
}

function variableText(declaration: ts.VariableDeclaration): string {
  const { initializer, type } = declaration;
  const name = declaration.name.getText();
  if (type !== undefined) return `const ${name}: ${type.getText()};`;
  if (initializer !== undefined && ts.isArrowFunction(initializer)) {
    const { body } = initializer;
    const head = initializer.getText().slice(0, body.getStart() - initializer.getStart());
    return `const ${name} = ${head.trimEnd()} …;`;
  }
  return `const ${name} = ${initializer?.getText() ?? "…"};`;
}

const unexported = (text: string): string => text.replace(/^export (async )?/, "");
