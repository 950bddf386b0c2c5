// Bundles web/src into the package: a script and a style sheet for the report, and the same for the
// explorer, minified, the same bytes each time. `node build.mjs FOLDER` writes them elsewhere (the
// test compares the two).
import { build } from "esbuild";
import { dirname, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));

const common = {
  absWorkingDir: here,
  bundle: true,
  minify: true,
  target: ["es2022"],
  charset: "ascii", // right whatever encoding a page is read with
  jsx: "automatic",
  jsxImportSource: "preact",
  legalComments: "none",
  logLevel: "warning",
};

const outdir = (room) => process.argv[2] ?? resolve(here, "../src/plogq", room, "static");

// The report's script stands inside its page; the explorer's is a module, for notebooks as well.
await build({
  ...common,
  entryPoints: { report: "src/report/main.jsx" },
  format: "iife",
  outdir: outdir("reports"),
});
await build({
  ...common,
  entryPoints: { explorer: "src/explorer/main.jsx" },
  format: "esm",
  outdir: outdir("explorer"),
});
