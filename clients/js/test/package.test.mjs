import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

const folder = fileURLToPath(new URL("..", import.meta.url));
const MAX_SIZES = { index: 6 * 1024, factors: 3 * 1024 };

const run = (program, ...words) =>
  execFileSync(program, words, { cwd: folder, encoding: "utf8" });

for (const [name, maximum] of Object.entries(MAX_SIZES)) {
  test(`the module is small, and needs no other: ${name}`, () => {
    const module = readFileSync(new URL(`../dist/${name}.js`, import.meta.url));
    const size = gzipSync(module, { level: 9 }).length;
    console.log(`dist/${name}.js: ${module.length} bytes, ${size} gzipped`);
    assert.ok(size <= maximum, `${size} bytes`);
    assert.doesNotMatch(`${module}`, /\bimport\b/);
  });
}

test("the package has what it should, and nothing else", () => {
  const pack = ["pack", "--dry-run", "--json", "--ignore-scripts"];
  const [{ files }] = JSON.parse(run("npm", ...pack));
  const paths = files.map(({ path }) => path);
  const declared = paths.filter((path) => /^dist\/\w+\.d\.ts$/.test(path));
  assert.ok(declared.includes("dist/api.d.ts"), `${paths}`);
  assert.deepEqual(paths.filter((path) => !declared.includes(path)).sort(), [
    "LICENSE-APACHE",
    "LICENSE-MIT",
    "README.md",
    "dist/factors.js",
    "dist/factors.js.map",
    "dist/index.js",
    "dist/index.js.map",
    "package.json",
  ]);
  const { dependencies } = JSON.parse(
    readFileSync(new URL("../package.json", import.meta.url), "utf8"),
  );
  assert.equal(dependencies, undefined);
});

test("a project in TypeScript compiles with its types", () => {
  const tsc = "node_modules/typescript/bin/tsc";
  run(process.execPath, tsc, "--project", "test/consumer");
});
