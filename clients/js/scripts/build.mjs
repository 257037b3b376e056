// Writes dist/: two minified modules, of which neither needs the other, and their types; and the same modules into examples/web, for a page without a
// build. With --check it only says whether those are up to date.

import { execFileSync } from "node:child_process";
import {
  cpSync,
  existsSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { basename } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const at = (path) => fileURLToPath(new URL(`../${path}`, import.meta.url));
const isCheck = process.argv.includes("--check");
/** By module, their names in the example. */
const EXAMPLES = { index: "revolve-client", factors: "revolve-factors" };

const result = await build({
  entryPoints: Object.keys(EXAMPLES).map((name) => at(`src/${name}.ts`)),
  outdir: at("dist"),
  bundle: true,
  format: "esm",
  minify: true,
  platform: "neutral",
  sourcemap: "external",
  target: "es2022",
  write: false,
});

if (!isCheck) {
  rmSync(at("dist"), { recursive: true, force: true });
  const tsc = at("node_modules/typescript/bin/tsc");
  execFileSync(process.execPath, [tsc, "--emitDeclarationOnly"], {
    cwd: at("."),
    stdio: "inherit",
  });
  // The compiler leaves types alone that are no source.
  cpSync(at("src/api.d.ts"), at("dist/api.d.ts"));
  for (const license of ["LICENSE-APACHE", "LICENSE-MIT"]) {
    cpSync(at(`../../${license}`), at(license));
  }
}
for (const { path, text } of result.outputFiles) {
  const file = basename(path);
  const isMap = file.endsWith(".map");
  if (!isCheck) {
    const end = isMap ? "" : `//# sourceMappingURL=${file}.map\n`;
    writeFileSync(path, text + end);
  }
  if (isMap) continue;
  const name = EXAMPLES[basename(file, ".js")];
  const example = at(`../../examples/web/${name}.js`);
  const copy = `// Written by \`npm run build\` in clients/js.\n${text}`;
  if (!isCheck) {
    writeFileSync(example, copy);
  } else if (!existsSync(example) || readFileSync(example, "utf8") !== copy) {
    console.error(
      `${example} is not what the sources say: \`npm run build\` writes it`,
    );
    process.exitCode = 1;
  }
}
