// {{name}}: a component that handles HTTP. In comes a request; out goes a response.
//
// With the import in wit/world.wit and the dependency in spin.toml, the component that verifies is
//     import { verify } from 'fermyon:hmac/verify@0.1.0';
// and `verify(data, key, tag)` takes three Uint8Arrays.

addEventListener('fetch', (event) => event.respondWith(handle(event.request)));

async function handle(request) {
  const { pathname } = new URL(request.url);
  console.log(`${request.method} ${pathname}`);
  return new Response(`Hello from {{name}}, ${pathname}\n`);
}
