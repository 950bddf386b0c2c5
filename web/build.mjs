// Bundles web/src into the package: one script and one style sheet per page, minified, the same
// bytes each time. `node build.mjs FOLDER` writes them elsewhere (the test compares the two).
import { build } from "esbuild";
import { dirname, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));

await build({
  absWorkingDir: here,
  entryPoints: { report: "src/report/main.jsx" },
  outdir: resolve(process.argv[2] ?? resolve(here, "../src/plogq/explorer/static")),
  bundle: true,
  minify: true,
  format: "iife",
  target: ["es2022"],
  charset: "ascii", // right whatever encoding a page is read with
  jsx: "automatic",
  jsxImportSource: "preact",
  legalComments: "none",
  logLevel: "warning",
});
