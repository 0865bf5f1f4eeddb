/** `/docs`: the document as a page to read and try. Everything comes from this server; the token stays in the page's memory. */
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import type { GatewayApp } from './context.ts'

export const DOCS_PATH = '/docs'

const PAGE = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Agentry</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="${DOCS_PATH}/swagger-ui.css">
<body>
<div id="ui"></div>
<script src="${DOCS_PATH}/swagger-ui-bundle.js"></script>
<script src="${DOCS_PATH}/page.js"></script>
</body>
</html>
`

// The dialog that asks for the token opens by itself; `persistAuthorization` off: nothing is stored.
const SCRIPT = `const ui = SwaggerUIBundle({
  url: '/openapi.json',
  dom_id: '#ui',
  validatorUrl: null,
  persistAuthorization: false,
  docExpansion: 'list',
  tryItOutEnabled: true,
  onComplete: () => document.querySelector('.auth-wrapper .authorize')?.click(),
})
`

/** Only the page's own server: no other scripts, no other connections, no frames. */
const HEADERS = {
  'cache-control': 'no-cache',
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; " +
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
}

const ASSETS = [
  ['swagger-ui.css', 'text/css; charset=utf-8'],
  ['swagger-ui-bundle.js', 'text/javascript; charset=utf-8'],
] as const

export function addDocsPage(app: GatewayApp): void {
  const folder = dirname(createRequire(import.meta.url).resolve('swagger-ui-dist/package.json'))
  app.get(DOCS_PATH, (c) => c.html(PAGE, 200, HEADERS))
  app.get(`${DOCS_PATH}/page.js`, (c) =>
    c.body(SCRIPT, 200, { ...HEADERS, 'content-type': 'text/javascript; charset=utf-8' }),
  )
  for (const [name, type] of ASSETS) {
    let content: Buffer<ArrayBuffer> | undefined
    app.get(`${DOCS_PATH}/${name}`, (c) => {
      content ??= readFileSync(join(folder, name))
      return c.body(content, 200, { ...HEADERS, 'content-type': type })
    })
  }
}
