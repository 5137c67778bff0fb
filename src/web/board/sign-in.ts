/** The page at /board at which an operator gives his key. It needs no script. */
import { createHash } from 'node:crypto';

const STYLE = `body { font: 16px/1.5 system-ui, sans-serif; margin: 0; min-height: 100vh; display: grid;
  place-items: center; background: #f4f5f7; color: #1c2330; }
form { display: grid; gap: 0.75rem; width: min(24rem, 90vw); padding: 2rem; background: #fff;
  border-radius: 0.75rem; box-shadow: 0 1px 4px #0003; }
h1 { font-size: 1.25rem; margin: 0; }
p { margin: 0; color: #4a5568; }
[role='alert'] { color: #a61b1b; }
input, button { font: inherit; padding: 0.5rem 0.75rem; border-radius: 0.375rem; border: 1px solid #718096; }
button { background: #1c4fd8; border-color: #1c4fd8; color: #fff; cursor: pointer; }`;

/** Nothing but this page's own style, and a form that goes nowhere else. */
export const SIGN_IN_POLICY = [
  "default-src 'none'",
  `style-src 'sha256-${createHash('sha256').update(STYLE).digest('base64')}'`,
  "base-uri 'none'",
  "form-action 'self'",
  "frame-ancestors 'none'",
].join('; ');

/** `trouble` is one of our own sentences. */
export function signInPage(trouble = ''): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Queues - Trunkline</title>
<style>${STYLE}</style>
</head>
<body>
<form method="post" action="/board/session">
<h1>Queues of all tenants</h1>
<p>For operators. The key is in the file <code>operator-key</code> of the data folder, or in
<code>operator.keys</code> of the configuration.</p>
${trouble === '' ? '' : `<p role="alert">${trouble}</p>`}
<label>Operator key
<input name="key" type="password" autocomplete="current-password" required autofocus></label>
<button>Sign in</button>
</form>
</body>
</html>
`;
}
