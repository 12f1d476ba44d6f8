//! What a guest is told of an exchange that failed. Comes in: an error and its causes; goes out: the error
//! of `wasi:http`, and a line in the log where the operator is the one who can act. Never matches text.

use std::io;

use wasmtime_wasi_http::Error;

use super::connect::TooSlow;
use crate::net::DialError;

/// The `wasi:http` error for a failed exchange, from the causes the client kept.
pub(super) fn classify(error: &(dyn std::error::Error + 'static)) -> Error {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if let Some(known) = known(error) {
            return known;
        }
        // An I/O error hides what it wraps from the chain of causes.
        let wrapped = error
            .downcast_ref::<io::Error>()
            .and_then(io::Error::get_ref);
        cause = match wrapped {
            Some(wrapped) => Some(wrapped),
            None => error.source(),
        };
    }
    tracing::debug!(error, "an outbound exchange failed");
    Error::HttpProtocolError
}

fn known(error: &(dyn std::error::Error + 'static)) -> Option<Error> {
    if let Some(dial) = error.downcast_ref::<DialError>() {
        return Some(dialling(dial));
    }
    if error.is::<TooSlow>() {
        return Some(Error::ConnectionTimeout);
    }
    if let Some(tls) = error.downcast_ref::<rustls::Error>() {
        return Some(match tls {
            rustls::Error::InvalidCertificate(_) => Error::TlsCertificateError,
            _ => Error::TlsProtocolError,
        });
    }
    // What the request's own body ended with.
    match error.downcast_ref::<Error>() {
        Some(Error::HttpRequestBodySize(size)) => return Some(Error::HttpRequestBodySize(*size)),
        Some(Error::HttpResponseTimeout) => return Some(Error::HttpResponseTimeout),
        _ => {}
    }
    if let Some(hyper) = error.downcast_ref::<hyper::Error>() {
        if hyper.is_parse_too_large() {
            return Some(Error::HttpResponseHeaderSectionSize(None));
        }
        if hyper.is_incomplete_message() {
            return Some(Error::HttpResponseIncomplete);
        }
        if hyper.is_closed() || hyper.is_canceled() {
            return Some(Error::ConnectionTerminated);
        }
    }
    match error.downcast_ref::<io::Error>()?.kind() {
        io::ErrorKind::ConnectionReset
        | io::ErrorKind::ConnectionAborted
        | io::ErrorKind::BrokenPipe => Some(Error::ConnectionTerminated),
        // TLS that ends without saying so.
        io::ErrorKind::UnexpectedEof => Some(Error::HttpResponseIncomplete),
        io::ErrorKind::TimedOut => Some(Error::HttpResponseTimeout),
        _ => None,
    }
}

fn dialling(error: &DialError) -> Error {
    match error {
        DialError::Resolve { .. } => Error::DnsError {
            rcode: Some(error.to_string()),
            info_code: None,
        },
        DialError::Prohibited { .. } | DialError::Disguised { .. } => {
            tracing::warn!(reason = %error, "an outbound request was refused");
            Error::DestinationIpProhibited
        }
        DialError::Connect { source, .. } if source.kind() == io::ErrorKind::ConnectionRefused => {
            Error::ConnectionRefused
        }
        DialError::Connect { .. } => Error::DestinationUnavailable,
    }
}
