//! Everything that can be asked for, once: the routes are found in this list, and the OpenAPI document is written from
//! it. In comes nothing; out go [`Endpoint`]s. It never answers anything.

use crate::api::{Queued, Route};

/// A method and a path, and what is to be said of them.
pub struct Endpoint {
    /// The method.
    pub method: &'static str,
    /// The path; a part in braces stands for an id, of an `{event}` or of a registration.
    pub path: &'static str,
    /// What it does, in a sentence.
    pub summary: &'static str,
    /// The parameters of its query.
    pub query: &'static [Parameter],
    /// The schema of its body, and whether there must be one.
    pub body: Option<(&'static str, bool)>,
    /// The status of a good answer, and the schema of its body.
    pub answer: (u16, Option<&'static str>),
    /// The statuses of its problems, beside those that all endpoints have.
    pub problems: &'static [u16],
    /// The route, of the id in the path.
    pub of: fn(String) -> Route,
}

/// A parameter of a query.
pub struct Parameter {
    /// Its name.
    pub name: &'static str,
    /// Whether it must be there.
    pub required: bool,
    /// What it says.
    pub says: &'static str,
}

const PAGE: [Parameter; 2] = [
    Parameter {
        name: "limit",
        required: false,
        says: "how many deliveries to list, 1 to 100",
    },
    Parameter {
        name: "after",
        required: false,
        says: "the `next` of the page before",
    },
];

/// All of them.
pub const ENDPOINTS: &[Endpoint] = &[
    Endpoint {
        method: "GET",
        path: "/openapi.json",
        summary: "This document.",
        query: &[],
        body: None,
        answer: (200, Some("Document")),
        problems: &[],
        of: |_| Route::Document,
    },
    Endpoint {
        method: "POST",
        path: "/registrations",
        summary: "Registers a consumer: makes a key and hands it over.",
        query: &[],
        body: Some(("NewRegistration", true)),
        answer: (201, Some("Created")),
        problems: &[400, 403, 409, 413, 502, 504],
        of: |_| Route::Register,
    },
    Endpoint {
        method: "GET",
        path: "/registrations",
        summary: "All registrations, without their keys and the values of their headers.",
        query: &[],
        body: None,
        answer: (200, Some("Registrations")),
        problems: &[],
        of: |_| Route::List,
    },
    Endpoint {
        method: "DELETE",
        path: "/registrations",
        summary: "Removes all registrations; what waits for them becomes dead letters.",
        query: &[],
        body: None,
        answer: (204, None),
        problems: &[503],
        of: |_| Route::Clear,
    },
    Endpoint {
        method: "POST",
        path: "/registrations/reseal",
        summary: "Seals all keys and headers with the first of the secrets.",
        query: &[],
        body: None,
        answer: (200, Some("Resealed")),
        problems: &[],
        of: |_| Route::Reseal,
    },
    Endpoint {
        method: "GET",
        path: "/registrations/{registration}",
        summary: "One registration, without its key and the values of its headers.",
        query: &[],
        body: None,
        answer: (200, Some("Registration")),
        problems: &[404],
        of: Route::Show,
    },
    Endpoint {
        method: "DELETE",
        path: "/registrations/{registration}",
        summary: "Removes a registration; what waits for it becomes dead letters.",
        query: &[],
        body: None,
        answer: (204, None),
        problems: &[404, 503],
        of: Route::Remove,
    },
    Endpoint {
        method: "POST",
        path: "/registrations/{registration}/rotate",
        summary: "Hands the consumer a new key; the old one signs as well for a day.",
        query: &[],
        body: None,
        answer: (200, Some("Created")),
        problems: &[403, 404, 409, 502, 504],
        of: Route::Rotate,
    },
    Endpoint {
        method: "GET",
        path: "/registrations/{registration}/attempts",
        summary: "Its deliveries, oldest first, each with its attempts.",
        query: &PAGE,
        body: None,
        answer: (200, Some("Deliveries")),
        problems: &[400, 404, 501, 503],
        of: |id| Route::Queued(Queued::Attempts(id)),
    },
    Endpoint {
        method: "POST",
        path: "/registrations/{registration}/recover",
        summary: "Its dead letters of events that were accepted then or later are due now.",
        query: &[Parameter {
            name: "since",
            required: true,
            says: "the time, as RFC 3339 writes it",
        }],
        body: None,
        answer: (202, Some("Due")),
        problems: &[400, 404, 501, 503],
        of: |id| Route::Queued(Queued::Recover(id)),
    },
    Endpoint {
        method: "POST",
        path: "/registrations/{registration}/test",
        summary: "Sends it an event `signet.test`, whatever it wants.",
        query: &[],
        body: None,
        answer: (202, Some("Accepted")),
        problems: &[404, 501, 503],
        of: |id| Route::Queued(Queued::Test(id)),
    },
    Endpoint {
        method: "POST",
        path: "/registrations/{registration}/enable",
        summary: "Delivers to it again, beginning with the next event.",
        query: &[],
        body: None,
        answer: (204, None),
        problems: &[404, 501, 503],
        of: |id| Route::Queued(Queued::Enable(id)),
    },
    Endpoint {
        method: "POST",
        path: "/events",
        summary: "Accepts an event: it is on disk when this is answered, and delivered until it is done or a dead \
                  letter. With a header Idempotency-Key it can be repeated.",
        query: &[],
        body: Some(("Event", true)),
        answer: (202, Some("Accepted")),
        problems: &[400, 409, 413, 501, 503],
        of: |_| Route::Queued(Queued::Accept),
    },
    Endpoint {
        method: "GET",
        path: "/events/{event}",
        summary: "An event, where its deliveries stand, and a page of them.",
        query: &PAGE,
        body: None,
        answer: (200, Some("EventStatus")),
        problems: &[400, 404, 501, 503],
        of: |id| Route::Queued(Queued::Event(id)),
    },
    Endpoint {
        method: "POST",
        path: "/events/{event}/resend",
        summary: "Its dead letters are due now; with a registration that one delivery, even if it was done.",
        query: &[Parameter {
            name: "registration",
            required: false,
            says: "the id of the registration",
        }],
        body: None,
        answer: (202, Some("Due")),
        problems: &[400, 404, 501, 503],
        of: |id| Route::Queued(Queued::Resend(id)),
    },
    Endpoint {
        method: "POST",
        path: "/fire",
        summary: "Signs and sends an event at once, and reports what each consumer answered; keeps nothing.",
        query: &[],
        body: Some(("Fired", false)),
        answer: (200, Some("Report")),
        problems: &[400, 413],
        of: |_| Route::Fire,
    },
];
