// Writes src/api.d.ts, the types of the account API, from docs/openapi.json; with --check it only says whether that is up to date.

import { readFileSync, writeFileSync } from "node:fs";

const source = new URL("../../../docs/openapi.json", import.meta.url);
const target = new URL("../src/api.d.ts", import.meta.url);
const BASE = "/api/account/";
const REFERENCE = "#/components/schemas/";

const document = JSON.parse(readFileSync(source, "utf8"));
const text = [
  "// The types of the account API. Written from docs/openapi.json by `npm run types`.",
  ...Object.entries(document.components.schemas).map(declaration),
  `/** What a problem of the account API says in \`code\`. There may be new ones. */\nexport type ProblemCode =\n${codes()};`,
].join("\n\n");

if (!process.argv.includes("--check")) {
  writeFileSync(target, `${text}\n`);
} else if (readFileSync(target, "utf8") !== `${text}\n`) {
  console.error(
    "src/api.d.ts is not what docs/openapi.json says: `npm run types` writes it",
  );
  process.exitCode = 1;
}

function declaration([name, schema]) {
  const comment = documentation(schema.description, "");
  return schema.type === "object"
    ? `${comment}export interface ${name} ${members(schema, "")}`
    : `${comment}export type ${name} = ${type(schema, "")};`;
}

function members(schema, indent) {
  const required = new Set(schema.required);
  const lines = Object.entries(schema.properties ?? {}).map(
    ([name, member]) => {
      const inner = `${indent}  `;
      const mark = required.has(name) ? "" : "?";
      return `${documentation(member.description, inner)}${inner}${name}${mark}: ${type(member, inner)};\n`;
    },
  );
  return `{\n${lines.join("")}${indent}}`;
}

function type(schema, indent) {
  if (schema.$ref) {
    if (!schema.$ref.startsWith(REFERENCE))
      throw new Error(`unknown reference: ${schema.$ref}`);
    return schema.$ref.slice(REFERENCE.length);
  }
  if (schema.enum)
    return schema.enum.map((value) => JSON.stringify(value)).join(" | ");
  const alternatives = schema.oneOf ?? schema.anyOf;
  if (alternatives)
    return alternatives.map((one) => type(one, indent)).join(" | ");
  if (schema.allOf)
    return schema.allOf.map((one) => type(one, indent)).join(" & ");
  if (Array.isArray(schema.type)) {
    return schema.type
      .map((one) => type({ ...schema, type: one }, indent))
      .join(" | ");
  }
  switch (schema.type) {
    case "string":
    case "boolean":
    case "null":
      return schema.type;
    case "integer":
    case "number":
      return "number";
    case "array": {
      const items = type(schema.items, indent);
      return items.includes(" ") ? `(${items})[]` : `${items}[]`;
    }
    case "object":
      return schema.properties
        ? members(schema, indent)
        : "Record<string, unknown>";
    case undefined:
      return "unknown";
    default:
      throw new Error(`unknown type: ${JSON.stringify(schema)}`);
  }
}

function documentation(text, indent) {
  if (!text) return "";
  const lines = text.replaceAll("*/", "*\\/").split("\n");
  if (lines.length === 1) return `${indent}/** ${lines[0]} */\n`;
  const body = lines.map((line) => `${indent} * ${line}`.trimEnd());
  return `${indent}/**\n${body.join("\n")}\n${indent} */\n`;
}

/** The codes of all answers of the account API. */
function codes() {
  const found = new Set();
  for (const [path, operations] of Object.entries(document.paths)) {
    if (!path.startsWith(BASE)) continue;
    for (const operation of Object.values(operations)) {
      for (const answer of Object.values(operation.responses ?? {}))
        collect(resolved(answer), found);
    }
  }
  return [...found]
    .sort()
    .map((code) => `  | "${code}"`)
    .join("\n");
}

function resolved(answer) {
  return answer.$ref
    ? document.components.responses[answer.$ref.split("/").at(-1)]
    : answer;
}

function collect(answer, found) {
  const examples = answer.content?.["application/problem+json"]?.examples ?? {};
  for (const { value } of Object.values(examples)) found.add(value.code);
}
