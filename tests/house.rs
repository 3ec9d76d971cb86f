//! The rules that the repository keeps about itself: unique type names, no circles of modules, one word for one thing,
//! short files. These tests read the files of the repository; they start no server.
#![allow(clippy::expect_used, clippy::unwrap_used)]

mod house {
    mod asvs;
    mod circles;
    mod imports;
    mod modules;
    mod rust_text;
    mod sizes;
    mod source;
    mod type_names;
    mod word_list;
    mod words;
}
