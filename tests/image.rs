//! The image, without Docker: .dockerignore lets through what the build reads, and no database and no key.
#![allow(clippy::expect_used, clippy::unwrap_used)]

mod image {
    mod contents;
    mod context;
    mod dockerfile;
    mod inputs;
}
