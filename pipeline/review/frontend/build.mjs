/** Bundles the pages' scripts: `node build.mjs FOLDER`. */
import { readFile } from "node:fs/promises";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

/** Our pages allow no inline style: the waveform's goes into a template, and `src/wave.js` adopts it as a sheet. */
const withoutInlineStyle = {
  name: "without inline style",
  setup(builder) {
    builder.onLoad({ filter: /wavesurfer\.js\/dist\/renderer\.js$|wavesurfer\.esm\.js$/ }, async ({ path }) => {
      const text = await readFile(path, "utf8");
      const contents = text.replace(/<style\$\{.*?\}>/, '<template class="style">').replace("</style>", "</template>");
      if (contents === text || contents.includes("<style")) throw new Error(`${path} is not what was expected`);
      return { contents };
    });
  },
};

await build({
  absWorkingDir: dirname(fileURLToPath(import.meta.url)),
  entryPoints: ["src/coding.js", "src/together.js", "src/pages.js", "src/practice.js", "src/passkeys.js"],
  bundle: true,
  minify: true,
  format: "esm",
  target: "es2022",
  legalComments: "none",
  plugins: [withoutInlineStyle],
  outdir: process.argv[2],
});
