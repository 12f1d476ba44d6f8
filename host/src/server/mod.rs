//! From sockets to requests and back.
