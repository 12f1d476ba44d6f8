//! {{name}}: a component that handles HTTP. In comes a request; out goes a response.

use spin_sdk::http::{IntoResponse, Request};
use spin_sdk::http_service;

// What wit/world.wit imports, as Rust: `hmac::fermyon::hmac::verify::verify(&data, &key, &tag)`. An import that
// is not called is left out of the component.
#[allow(dead_code)]
mod hmac {
    spin_sdk::wit_bindgen::generate!({
        path: "wit",
        world: "guest",
        runtime_path: "spin_sdk::wit_bindgen::rt",
        generate_all,
    });
}

#[http_service]
async fn handle(request: Request) -> impl IntoResponse {
    println!("{} {}", request.method(), request.uri().path());
    format!("Hello from {{name}}, {}\n", request.uri().path())
}
