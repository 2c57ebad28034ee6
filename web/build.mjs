// Bundles the page's script with the libraries that it needs; nothing is fetched when it runs.
//   npm ci && npm run build [-- FOLDER]
import { build } from 'esbuild';
import { copyFileSync, mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const out = process.argv[2]
  ?? join(here, '..', 'depth_anything_ros', 'bridges', 'websocket', 'page');
mkdirSync(out, { recursive: true });
await build({
  entryPoints: [join(here, 'src', 'reconstruct.js')],
  bundle: true, minify: true, format: 'iife', target: 'es2020',
  charset: 'utf8', legalComments: 'linked', outfile: join(out, 'reconstruct.js'),
  logLevel: 'warning',
});
for (const name of ['reconstruct.html', 'reconstruct.css']) {
  copyFileSync(join(here, 'src', name), join(out, name));
}
copyFileSync(join(here, 'node_modules', 'three', 'LICENSE'), join(out, 'three.LICENSE.txt'));
