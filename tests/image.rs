//! The image and the containers, without Docker: .dockerignore lets through what the build reads, and no database and no
//! key; docker-compose.yml confines its services, and they work that way.
#![allow(clippy::expect_used, clippy::unwrap_used, clippy::print_stdout)] // says what only root can check

mod common;

mod image {
    mod compose;
    mod containers;
    mod contents;
    mod context;
    mod dockerfile;
    mod inputs;
    #[allow(dead_code)] // the tests of the process use the rest
    #[path = "../process/program.rs"]
    mod program;
    mod server;
}
