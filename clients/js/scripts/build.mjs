// Writes dist/: one minified module and its types; and examples/web/revolve-client.js, the same module for a page without a
// build. With --check it only says whether that one is up to date.

import { execFileSync } from "node:child_process";
import { cpSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const at = (path) => fileURLToPath(new URL(`../${path}`, import.meta.url));
const example = at("../../examples/web/revolve-client.js");

const result = await build({
  entryPoints: [at("src/index.ts")],
  outfile: at("dist/index.js"),
  bundle: true,
  format: "esm",
  minify: true,
  platform: "neutral",
  sourcemap: "external",
  target: "es2022",
  write: false,
});
const [map, module] = result.outputFiles;
const copy = `// Written by \`npm run build\` in clients/js.\n${module.text}`;

if (!process.argv.includes("--check")) {
  rmSync(at("dist"), { recursive: true, force: true });
  const tsc = at("node_modules/typescript/bin/tsc");
  execFileSync(process.execPath, [tsc, "--emitDeclarationOnly"], {
    cwd: at("."),
    stdio: "inherit",
  });
  // The compiler leaves types alone that are no source.
  cpSync(at("src/api.d.ts"), at("dist/api.d.ts"));
  writeFileSync(
    module.path,
    `${module.text}//# sourceMappingURL=index.js.map\n`,
  );
  writeFileSync(map.path, map.text);
  writeFileSync(example, copy);
  for (const license of ["LICENSE-APACHE", "LICENSE-MIT"]) {
    cpSync(at(`../../${license}`), at(license));
  }
} else if (readFileSync(example, "utf8") !== copy) {
  console.error(
    `${example} is not what the sources say: \`npm run build\` writes it`,
  );
  process.exitCode = 1;
}
